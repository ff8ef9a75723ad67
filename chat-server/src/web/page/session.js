/** What the server has agreed to, by its codes and fields, never by its texts. Knows nothing of the page. */
import { isOpen, send } from './connection.js';

/** Refused wherever one is, and changes nothing: its answer proves that all before it was handled. */
const PROBE = { type: 'CSJoinRoom', roomId: Number.MAX_SAFE_INTEGER };
/** ms between two probes, and between two lists, for each frame of the last one. */
const PROBE_PAUSE = 400;
const LIST_PAUSE = 3_000;
const LONGEST_FRAME = 65_535;

/** The codes that answer each kind of command. */
const ANSWERS = {
	name: 'renamed bad-name name-taken',
	create: 'room-created bad-title limit-reached already-in-room',
	join: 'room-entered no-such-room already-in-room',
	probe: 'no-such-room already-in-room',
	leave: 'room-left not-in-room',
	chat: 'bad-text text-too-long not-in-room',
	shutdown: 'shutdown-refused',
	list: 'listed',
};
const KNOWN = Object.values(ANSWERS).join(' ');
// What answers nothing. Other words refuse any command: a newer server may know more refusals.
const EVENT = /^(announcement|removed|server-|slow-|frame-|too-many-|proxy-)/;

/**
 * `rooms` and `room` have id, title, count and members; `room`, the number of the last broadcast, too.
 * `lastWord` is the code of the last notice.
 */
export const state = { name: null, room: null, rooms: new Map(), lastWord: '' };

/** The commands that the server has not answered. */
let unanswered = [];
let probedAt = 0;
let probeTimer = 0;
let listedAt = 0;
let listTimer = 0;
let listPause = 0;
let frames = [];
let on;

/** @param handlers take what happens: see app.js */
export const start = (handlers) => on = handlers;

// Commands. `from` is where a refusal is to be shown.

function command(kind, message, from) {
	const sent = { kind, from, name: message.name };
	if (isOpen()) {
		unanswered.push(sent);
		send(message);
	}
	return sent;
}

const expects = (...kinds) => unanswered.some(({ kind }) => kinds.includes(kind));

export const rename = (name, from) => command('name', { type: 'CSName', name }, from);
export const shutdown = (from) => command('shutdown', { type: 'CSShutdown' }, from);
export const leave = (from) => command('leave', { type: 'CSLeaveRoom' }, from);

/** Enters a room, or creates one with that title, out of the present one. */
export function enter(roomId, from, title) {
	if (state.room) leave(from);
	if (title) command('create', { type: 'CSCreateRoom', title }, from);
	else command('join', { type: 'CSJoinRoom', roomId }, from);
}

export const isMoving = () => expects('join', 'create');

/** Says a text. Returns what `on.became` will tell about. */
export function chat(text) {
	const sent = command('chat', { type: 'CSChat', text });
	probe();
	return sent;
}

/** Asks whether the chats sent have arrived: one question at a time, and not often. */
function probe() {
	if (probeTimer || expects('probe') || !expects('chat')) return;
	probeTimer = setTimeout(() => {
		probedAt = Date.now();
		probeTimer = 0;
		command('probe', PROBE);
	}, probedAt + PROBE_PAUSE - Date.now());
}

export function list() {
	listedAt = Date.now();
	command('list', { type: 'CSRooms' });
}

/** Has the list of rooms renewed, but not often. */
export function refresh() {
	clearTimeout(listTimer);
	listTimer = setTimeout(list, listedAt + listPause - Date.now());
}

/** Bytes by which a text exceeds the frame that would bring it to the others. */
export function excess(text) {
	const { name: member, room } = state;
	const frame = { type: 'SCChat', member, text, roomId: room?.id, seq: room?.seq };
	return new TextEncoder().encode(JSON.stringify(frame)).length - LONGEST_FRAME;
}

/** The connection has ended. Returns the room that one was in. */
export function closed() {
	const { room } = state;
	state.name = state.room = null;
	clearTimeout(listTimer);
	clearTimeout(probeTimer);
	probeTimer = 0;
	frames = [];
	for (const sent of unanswered.splice(0)) if (sent.kind === 'chat') on.became(sent, 'unsure');
	return room;
}

// Messages.

export function received(message) {
	const { type, roomId, seq } = message;
	if (seq && roomId === state.room?.id) state.room.seq = seq;
	if (type === 'SCChat') on.chat(message);
	else if (type === 'SCRoomsResult') frameOfList(message);
	else if (type === 'SCSystemMessage') notice(message);
}

function notice(message) {
	const { code, roomId, title, seq, member } = message;
	state.lastWord = code;
	if (code === 'renamed') return renamed(message);
	if (member) moved(code, member);
	const isBroadcast = roomId && roomId === state.room?.id && code !== 'room-left';
	const answered = isBroadcast ? null : answeredBy(code);
	if (code === 'room-created' || code === 'room-entered') {
		state.room = { id: roomId, title, seq, count: 1, members: new Set() };
		list();
		on.entered(message);
	} else if (code === 'room-left') {
		state.room = null;
		on.left();
	} else if (!answered) {
		on.notice(message);
	} else if (answered.kind === 'chat') {
		on.became(answered, 'refused', message);
	} else if (answered.kind !== 'probe') {
		on.refused(answered, message);
	}
}

/**
 * Takes the command that a code answers. The server answers in order, and says nothing to a chat that it
 * accepts: it is the first command that it can be, and the chats before it arrived.
 */
function answeredBy(code) {
	const isAnswer = ({ kind }) => KNOWN.includes(code) ? ANSWERS[kind].includes(code) : !EVENT.test(code);
	const taken = unanswered.splice(0, unanswered.findIndex(isAnswer) + 1);
	const answered = taken.pop();
	for (const sent of taken) {
		if (sent.kind !== 'chat') continue;
		// It had a number, of which its author is not told.
		if (state.room) state.room.seq++;
		on.became(sent, 'arrived');
	}
	probe();
	return answered;
}

/** Outside a room, or with the name that one had or asked for, it is oneself. */
function renamed(message) {
	const { roomId, from, to } = message;
	const { room, name } = state;
	const isOwn = !roomId || from === name || unanswered.some((sent) => sent.name === to);
	if (room) room.members = new Set([...room.members].map((member) => member === from ? to : member));
	if (isOwn) {
		answeredBy('renamed');
		state.name = to;
		on.named();
	}
	if (room) on.notice(message);
	on.changed();
}

function moved(code, member) {
	const { room } = state;
	if (code === 'member-left') {
		room.members.delete(member);
		room.count--;
	} else if (!room.members.has(member)) {
		room.members.add(member);
		room.count++;
	}
	on.changed();
}

function frameOfList({ rooms, more }) {
	frames.push(rooms);
	if (more) return;
	answeredBy('listed');
	listPause = LIST_PAUSE * frames.length;
	state.rooms = new Map(frames.flat().map(({ roomId: id, title, members, memberCount: count }) =>
		[id, { id, title, members: new Set(members), count }]));
	frames = [];
	Object.assign(state.room ?? {}, state.rooms.get(state.room?.id));
	on.listed();
}
