/** What the server has agreed to, by its codes and fields, never by its texts. */
import { isOpen, send } from './connection.js'

// No room: to join it is refused, which proves that all before was handled.
const PROBE = Number.MAX_SAFE_INTEGER
// ms between probes, and between lists, for each frame of the last one.
const PROBE_PAUSE = 400, LIST_PAUSE = 5_000
const LONGEST_FRAME = 65_535

// The codes that answer each command.
const ANSWERS = {
	CSName: 'renamed bad-name name-taken',
	CSCreateRoom: 'room-created bad-title limit-reached already-in-room',
	CSJoinRoom: 'room-entered no-such-room already-in-room',
	CSLeaveRoom: 'room-left not-in-room',
	CSChat: 'bad-text text-too-long not-in-room',
	CSShutdown: 'shutdown-refused',
	CSRooms: 'listed',
}

// Rooms have id, title, count, members; one's own, the number of the last broadcast, too.
export const state = { name: null, room: null, rooms: new Map(), lastWord: '' }

let unanswered = []
let probedAt = 0, probeTimer = 0
let listedAt = 0, listTimer = 0, listPause = 0
let frames = []
let on

export const start = (handlers) => on = handlers

// Sends a command. `from` is where to show a refusal. Returns what `on.became` is about.
export function command(type, fields, from) {
	const sent = { type, ...fields, from }
	if (isOpen()) {
		unanswered.push(sent)
		send({ type, ...fields })
		probe()
	}
	return sent
}

// Asks whether chats have arrived: one question at a time, and not often.
function probe() {
	if (probeTimer || !unanswered.some(({ type }) => type === 'CSChat')) return
	probeTimer = setTimeout(ping, probedAt + PROBE_PAUSE - Date.now())
}

// Has the server answer.
export function ping() {
	probedAt = Date.now()
	command('CSJoinRoom', { roomId: PROBE })
}

// Enters a room, or a new one with that title, out of the present one.
export function enter(roomId, title, from) {
	if (state.room) command('CSLeaveRoom', {}, from)
	if (title) command('CSCreateRoom', { title }, from)
	else command('CSJoinRoom', { roomId }, from)
}

export const isMoving = () => unanswered.some(({ title, roomId }) => title || roomId && roomId !== PROBE)

export function list() {
	listedAt = Date.now()
	command('CSRooms')
}

// Has the list of rooms renewed, but not often.
export function refresh() {
	clearTimeout(listTimer)
	listTimer = setTimeout(list, listedAt + listPause - Date.now())
}

// Bytes by which a text exceeds the frame that it needs.
export function excess(text) {
	const { name: member, room: { id: roomId, seq } } = state
	return new Blob([JSON.stringify({ type: 'SCChat', member, text, roomId, seq })]).size - LONGEST_FRAME
}

export function closed() {
	const { room } = state
	clearTimeout(listTimer)
	clearTimeout(probeTimer)
	probeTimer = 0
	frames = []
	became(unanswered.splice(0), 'unsure')
	state.name = state.room = null
	return room
}

// Messages.

export function received(message) {
	const { type, roomId, seq } = message
	if (seq && roomId === state.room?.id) state.room.seq = seq
	if (type === 'SCChat') on.chat(message)
	else if (type === 'SCRoomsResult') frameOfList(message)
	else if (type === 'SCSystemMessage') notice(message)
}

function notice(message) {
	const { code, roomId, title, seq, member } = message
	state.lastWord = code
	if (code === 'renamed') return renamed(message)
	if (member) moved(code, member)
	const isBroadcast = roomId && roomId === state.room?.id && code !== 'room-left'
	const answered = isBroadcast ? null : answeredBy(code)
	if (code === 'room-created' || code === 'room-entered') {
		state.room = { id: roomId, title, seq, count: 1, members: new Set() }
		list()
		on.entered(message)
	} else if (code === 'room-left') {
		const { room } = state
		state.room = null
		on.left(room)
	} else if (!answered) {
		on.notice(message)
	} else if (answered.text) {
		on.became(answered, 'refused', message)
	} else if (answered.roomId !== PROBE) {
		on.refused(answered, message)
	}
}

// The command that a code answers: the first that it can be, for answers are in order. Chats before it arrived.
function answeredBy(code) {
	const taken = unanswered.splice(0, unanswered.findIndex(({ type }) => ANSWERS[type].includes(code)) + 1)
	const answered = taken.pop()
	became(taken, 'arrived')
	if (answered?.roomId === PROBE) probeTimer = 0
	probe()
	return answered
}

// Chats that arrived, or may have, have numbers, of which their author is not told.
function became(commands, what) {
	for (const sent of commands.filter(({ text }) => text)) {
		if (state.room) state.room.seq++
		on.became(sent, what)
	}
}

// It is oneself outside a room, or with the name that one had or asked for.
function renamed(message) {
	const { roomId, from, to } = message
	const { room, name } = state
	const isOwn = !roomId || from === name || unanswered.some((sent) => sent.name === to)
	if (room) room.members = new Set([...room.members].map((member) => member === from ? to : member))
	if (isOwn) {
		answeredBy('renamed')
		state.name = to
		on.named()
	}
	if (room) on.notice(message)
	on.changed()
}

function moved(code, member) {
	const { room } = state
	if (code === 'member-left') {
		room.members.delete(member)
		room.count--
	} else if (!room.members.has(member)) {
		room.members.add(member)
		room.count++
	}
	on.changed()
}

function frameOfList({ rooms, more }) {
	frames.push(rooms)
	if (more) return
	answeredBy('listed')
	listPause = LIST_PAUSE * frames.length
	state.rooms = new Map(frames.flat().map(({ roomId: id, title, members, memberCount: count }) =>
		[id, { id, title, members: new Set(members), count }]))
	frames = []
	Object.assign(state.room ?? {}, state.rooms.get(state.room?.id))
	on.listed()
}
