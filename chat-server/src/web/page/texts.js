/** What the page says, in both languages side by side. The words are those of the terminal client. */

export const lang = navigator.languages.join().match(/\b(ko|en)\b/)?.[0] ?? 'en'

// {x} is a value: no Korean particle depends on its last sound. Elements go by id, notices of the server by code.
const TEXTS = `
rooms-title|Rooms|방
new-title|Room title|새 방 제목
create|Create|만들기
filter|Find a room|방 찾기
back|All rooms|방 목록
invite|Invite|초대
log|Messages|대화
say|Say something|할 말을 쓰세요
send|Send|보내기
members-title|Members|함께 있는 사람
close|Close|닫기
notify|Notifications|새 말 알림
leave|Leave the room|방 나가기
name-title|What is your name?|이름을 알려 주세요
cancel|Cancel|취소
ok|OK|확인
connect|Connect now|지금 연결
chat|Chat|채팅
room|Room {n}|{n}번 방
count|{n} here|{n}명
unread|{n} new|새 말 {n}개
newest|Newest|맨 아래로
marker|New|여기부터 새 말
more|and {n} more|그 밖에 {n}
me|You: {name}|나: {name}
rename|Change your name|이름 바꾸기
you|you|나
guest|guest {n}|손님 {n}
roomOf|{name}’s room|{name} 님의 방
noRooms|No rooms yet. Create the first one.|아직 방이 없어요. 먼저 만들어 보세요.
not-in-room|Enter a room or create one.|방에 들어가거나 새로 만들어 보세요.
alone|Nobody else is here yet. Invite somebody!|아직 아무도 없어요. 초대해 보세요!
pending|sending|보내는 중
arrived|arrived|전해짐
unsure|may not have arrived|전해지지 않았을 수 있어요
again|Send again|다시 보내기
copied|Link copied: {link}|링크를 복사했어요: {link}
offline|Not connected. Trying to connect again…|연결이 끊겼어요. 다시 연결하고 있어요…
server-stopping|The server has stopped.|서버가 꺼졌어요.
ended|Not connected.|연결이 끊겼어요.
resumed|Connected again.|다시 연결됐어요.
gap|Some of what was said meanwhile may be missing here.|그동안 오간 말 가운데 빠진 것이 있을 수 있어요.
resumed-elsewhere|This conversation goes on in another window.|다른 창에서 대화를 이어 가고 있어요.
unknown|There is no such command. /help lists them.|그런 명령은 없어요. /help로 명령어를 볼 수 있어요.
form|It has to be: {form}|이렇게 써 주세요: {form}
tooLong|That text is too long. Send it in parts.|너무 길어요. 나눠서 보내 주세요.
help|/name NAME · /rooms [WORD] · /create TITLE · /join ID · /leave · /who · /quit · /shutdown (stops the server for everybody) · To say /text, type //text. Shift+Enter: a new line.|/name 이름 · /rooms [낱말] · /create 제목 · /join 번호 · /leave · /who · /quit · /shutdown (서버를 꺼요) · /로 시작하는 말은 //로 시작해 주세요. Shift+Enter로 줄을 바꿔요.
renamed|{from} is now called {to}.|{from} 님이 이름을 바꿨어요. 이제 {to} 님이에요.
room-created|You made room {roomId}, and are in it.|새로 만든 {roomId}번 방에 들어왔어요.
room-entered|You are in room {roomId} now.|{roomId}번 방에 들어왔어요.
member-entered|{member} came in.|{member} 님이 들어왔어요.
member-left|{member} left.|{member} 님이 나갔어요.
announcement|Announcement: {announcement}|공지: {announcement}
name-taken|That name is taken. Choose another one.|이미 쓰고 있는 이름이에요. 다른 이름을 골라 주세요.
no-such-room|There is no such room.|그런 방은 없어요.`

const texts = new Map(TEXTS.split('\n').map((line) => {
	const [key, en, ko] = line.split('|')
	return [key, lang === 'ko' ? ko : en]
}))

export function pieces(key, values = {}, fallback = '') {
	return texts.get(key)?.split(/\{(\w+)\}/).map((part, i) => i % 2 ? values[part] ?? '' : part) ?? [fallback]
}

export const t = (...which) => pieces(...which).join('')
