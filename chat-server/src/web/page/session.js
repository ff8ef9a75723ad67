/** What the server has agreed to, by its codes and fields, never by its texts. */
import { send } from './connection.js'

// What a page that is loaded again needs.
const SAVED = ['token', 'epoch', 'commands', 'room', 'id', 'title', 'seq', 'chats', 'type', 'text']
const LIST_PAUSE_MS = 5_000

// Rooms have id, title, members, and count; one's own has the last number instead.
export const state = { isOn: false, name: null, room: null, rooms: new Map(), lastWord: '', commands: 0 }

// Commands by id. A lost connection leaves the chats, to be sent again after what was missed.
const unanswered = new Map()
let unsaid = []
// What has a number, while something before it is missing.
let waiting = null
let listedAt = 0
let frames = []
let on

export const start = (handlers) => on = handlers

const chats = () => [...unsaid, ...unanswered.values()].filter(({ text }) => text)

export const saved = () => JSON.stringify({ ...state, chats: chats() }, SAVED)

export function restore(text) {
	const { chats, room, ...rest } = JSON.parse(text)
	Object.assign(state, rest, { room: room && { ...room, members: new Set() } })
	unsaid = chats
}

// `from` is where to show a refusal. Returns what `on.became` is about.
export function command(type, fields, from) {
	const sent = { type, id: `${++state.commands}`, ...fields }
	if (state.isOn) {
		unanswered.set(sent.id, sent)
		send(sent)
	}
	return Object.assign(sent, { from })
}

export function hello() {
	const { token: resume, room } = state
	const features = ['ack', 'history', 'members', 'ping', 'resume']
	send({ type: 'CSHello', client: 'chat-page/1', features, resume, roomId: room?.id, after: room?.seq })
}

// Without a number, it is a new room.
export function enter({ id: roomId, title, seq }, from) {
	if (state.room) command('CSLeaveRoom', {}, from)
	if (roomId) command('CSJoinRoom', { roomId }, from).seq = seq
	else command('CSCreateRoom', { title }, from)
}

const awaits = (types) => [...unanswered.values()].some(({ type }) => types.test(type))
export const isMoving = () => awaits(/Room$/)

export function list() {
	listedAt = Date.now()
	command('CSRooms')
}

export const refresh = () => Date.now() > listedAt + LIST_PAUSE_MS && list()

export function older(number) {
	const { id: roomId, seq, oldest = 1 } = state.room
	const before = Number(number ?? seq + 1)
	if (before > oldest && !waiting && !awaits(/History/)) command('CSHistory', { roomId, before })
}

const isHere = ({ roomId }) => roomId && roomId === state.room?.id

const receive = {
	SCWelcome: welcome,
	SCAck: acknowledged,
	SCSystemMessage: notice,
	SCChat: broadcast,
	SCHistory: history,
	SCMembers: (message) => isHere(message) && message.members.forEach((name) => state.room.members.add(name)),
	SCRoomsResult: listed,
	SCPong: (message) => isHere(message) && message.seq > state.room.seq && catchUp(),
}

export function received(message) {
	const { type, re, seq } = message
	if (waiting && seq !== undefined) return waiting.push(message)
	const sent = unanswered.get(re)
	unanswered.delete(re)
	receive[type]?.(message, sent)
}

function welcome({ epoch, session, name, resume: token, resumed, roomId }) {
	const { room } = state
	const isNewEpoch = epoch !== state.epoch
	const isSame = resumed && roomId === room?.id
	Object.assign(state, { isOn: true, epoch, token, name: name === `user${session}` ? null : name, lastWord: '' })
	unsaid = chats()
	unanswered.clear()
	frames = []
	if (!resumed) unsaid.splice(0).forEach((sent) => on.became(sent, 'unsure'))
	// The answer to a move was lost with the connection.
	if (!isSame && roomId) command('CSLeaveRoom')
	if (!isSame) state.room = null
	on.welcomed(room, isSame, isNewEpoch)
	waiting = state.room && []
	if (!waiting) caughtUp()
}

function acknowledged(message, sent) {
	if (isHere(message)) state.room.seq = Math.max(state.room.seq, message.seq)
	if (sent) on.became(sent, 'arrived', message)
}

function notice(message, sent) {
	const { code, to } = message
	const { room } = state
	state.lastWord = code
	if (/^room-(created|entered)/.test(code)) return entered(message, sent)
	if (code === 'room-left') {
		state.room = null
		return room && on.left(room)
	}
	if (isHere(message)) broadcast(message)
	else if (!sent) on.told(message)
	else if (sent.text) on.became(sent, 'refused', message)
	else if (sent.type === 'CSHistory') history({ ...sent, events: [], gap: true }, sent)
	else if (!to) on.refused(sent, message)
	if (sent && to) {
		state.name = to
		on.named()
	}
}

function entered(message, sent = {}) {
	const { roomId: id, title, seq } = message
	state.room = { id, title, seq: sent.seq ?? seq - 1, members: new Set() }
	on.entered(message, sent)
	list()
	if (sent.seq !== undefined) return catchUp()
	broadcast(message)
	caughtUp()
	older(seq)
}

// Shows what has a number, once.
function broadcast(message) {
	const { seq, code, member, from, to } = message
	const { room } = state
	if (!isHere(message) || seq <= room.seq) return
	room.seq = seq
	if (code === 'member-entered') room.members.add(member)
	else if (code === 'member-left') room.members.delete(member)
	else if (to) room.members = new Set([...room.members].map((name) => name === from ? to : name))
	on.told(message)
}

function history(message, { before } = {}) {
	const { events, from, more, gap } = message
	const { room } = state
	if (!isHere(message)) return
	const isAll = !more || !events.length
	if (before) {
		if (isAll) room.oldest = from ?? before
		return on.older(events)
	}
	if (gap) {
		room.members.clear()
		on.gap()
	}
	events.forEach(broadcast)
	if (isAll) caughtUp()
	else catchUp()
}

function catchUp() {
	const { id: roomId, seq: after } = state.room
	waiting ??= []
	command('CSHistory', { roomId, after, limit: 200 })
}

function caughtUp() {
	const messages = waiting ?? []
	waiting = null
	messages.forEach(received)
	for (const sent of unsaid.splice(0)) {
		const { type, id, text } = sent
		unanswered.set(id, sent)
		send({ type, id, text })
		on.became(sent, 'pending')
	}
	if (state.room) command('CSMembers', { roomId: state.room.id })
}

function listed({ rooms, more }) {
	frames.push(rooms)
	if (more) return
	const entries = frames.flat().map(({ roomId: id, memberCount: count, ...rest }) => [id, { id, count, ...rest }])
	state.rooms = new Map(entries)
	frames = []
	on.listed()
}
