/** Brings the parts together: what the person does goes to the session, what happens there to the page. */
import { parse } from './commands.js';
import * as composer from './composer.js';
import * as connection from './connection.js';
import { $, el, nameOf, put, visible } from './dom.js';
import * as log from './log.js';
import { showMembers, showRooms } from './panels.js';
import * as session from './session.js';
import { lang, pieces, t } from './texts.js';

const { state } = session;
const { body } = document;
const isNarrow = matchMedia('(max-width: 45rem)');

/** ms between two lists of rooms, for an answer, for others to make a room again, between notifications. */
const REFRESH = 10_000;
const ANSWER = 8_000;
const PATIENCE = 2_000;
const PAUSE = 3_000;

/** What is kept for the next visit, unless the browser is told to keep nothing. */
let kept = {};
try { kept = localStorage; } catch {}

/** The room to enter once there is a name. */
let target = roomInAddress();
/** The room to return to after a lost connection, since when, and whether others had time to make it again. */
let lost = null;
let lostAt = 0;
let hasWaited = false;
let heardAt = 0;
let hasEnded = false;
let stopsServer = false;
let refusals = 0;
let unread = 0;
let notifiedAt = 0;
let isStale = false;

// What is shown.

const isRead = () => document.hasFocus() && !document.hidden && log.atEnd()
	&& !(isNarrow.matches && body.dataset.view === 'rooms');

/** Shows the state soon: with the next frame, of which a hidden tab has none. */
function changed() {
	if (!isStale) (document.hidden ? setTimeout : requestAnimationFrame)(render);
	isStale = true;
}

function render() {
	isStale = false;
	if (isRead()) unread = 0;
	const room = state.room ?? lost;
	const title = room ? visible(room.title) : t('chat');
	const name = visible(state.name ?? '…');
	showRooms(state.rooms, room, unread, go);
	showMembers(room, state.name, composer.insert);
	body.classList.toggle('in-room', room);
	document.title = (unread ? `(${unread}) ` : '') + title;
	put('room-title', title);
	put('room-number', room ? t('room', { n: room.id }) : '');
	put('people', room ? t('count', { n: room.count }) : '');
	put('me', name);
	$('me').ariaLabel = t('rename', { name });
	put('empty', !room ? t('lobby') : room.count < 2 ? t('alone') : '');
	put('newer', `↓ ${unread ? t('unread', { n: unread }) : t('newest')}`);
	$('newer').hidden = log.atEnd();
	$('notify').ariaPressed = kept.notify === 'yes';
}

/** Shows the rooms or the conversation, where there is space for one of them only. */
function view(name) {
	body.dataset.view = name;
	members(false);
	if (isNarrow.matches) $(name === 'chat' ? 'room-title' : 'rooms-title').focus();
	else if (matchMedia('(pointer: fine)').matches) $('say').focus();
	session.refresh();
	changed();
}

function members(isOpen) {
	body.classList.toggle('with-members', isOpen);
	$('people').ariaExpanded = isOpen;
	if (isOpen) $('close').focus();
}

/** Says something of the page's own in the conversation. */
const remark = (key, n) => log.tell(pieces(key, { n }), 'client');

// The address has the room that one is in, to be kept, sent to others, and left by going back.

function roomInAddress() {
	return Number(location.hash.match(/^#room=(\d{1,15})$/)?.[1] ?? 0);
}

function setAddress(id) {
	const old = roomInAddress();
	if (old !== id) history[old ? 'replaceState' : 'pushState'](null, '', id ? `#room=${id}` : '/');
}

function go(id) {
	put('rooms-error', '');
	if (id === state.room?.id) {
		setAddress(id);
		view('chat');
	} else if (state.name) {
		lost = null;
		session.enter(id);
	} else {
		target = id;
		askName();
	}
}

// What happens.

session.start({
	changed,
	listed() {
		changed();
		if (lost && !session.isMoving()) comeBack(lost);
	},
	named() {
		kept.name = state.name;
		refusals = 0;
		$('name-dialog').close();
		if (target) session.enter(target);
		target = 0;
	},
	entered({ code, roomId, seq }) {
		const key = `${roomId} ${state.room.title}`;
		if (lost) missed(roomId, seq, key);
		else log.show(key);
		lost = null;
		log.tell(pieces(code, { roomId }));
		setAddress(roomId);
		view('chat');
	},
	left: inNoRoom,
	chat({ member, text }) {
		const { name, room } = state;
		arrives();
		log.say(member, text, { isMention: name && text.toLowerCase().includes(name.toLowerCase()) });
		notify(`${member} – ${room?.title}`, text);
	},
	notice(message) {
		const { code, member, from, to, text, announcement } = message;
		if (member) return log.move(code, member);
		if (announcement) arrives();
		const names = from && { from: nameOf(from), to: nameOf(to) };
		log.tell(pieces(code, { ...message, ...names }, visible(text)));
	},
	became(sent, what, message) {
		log.setState(sent.item, what, message && words(message));
	},
	/** Shows a refusal where its cause is. */
	refused({ name, from }, message) {
		stopsServer = false;
		if (from === 'say') composer.hint(words(message));
		else if (name) nameRefused(words(message));
		else put('rooms-error', words(message));
		if (!name && !state.room) inNoRoom();
	},
});

const rename = (name, from) => session.command('CSName', { name }, from);
const words = ({ code, text }) => t(code, {}, visible(text));

function inNoRoom() {
	if (session.isMoving()) return;
	log.show('');
	lost = null;
	setAddress(0);
	view('rooms');
}

/** Back to the room of before: by its number, else by its title, else made again unless others do so. */
function comeBack({ id, title }) {
	// A server that starts anew begins its numbers anew.
	const rooms = [...state.rooms.values()].filter((room) => room.title === title);
	const room = rooms.find((room) => room.id === id) ?? rooms[0];
	if (room || hasWaited) return session.enter(room?.id, 'rooms', !room && title);
	hasWaited = true;
	setTimeout(session.list, PATIENCE * Math.random());
}

/** Goes on with the lines of before, and says what is missing between them and the notice that one entered. */
function missed(id, seq, key) {
	// Two notices are about oneself.
	const n = seq - lost.seq - 2;
	log.keep(key);
	if (id !== lost.id) remark('otherRoom', lost.id);
	else if (n > 0) remark('missed', n);
}

/** One's name of before is free again once the server has noticed that the old connection is gone. */
function nameRefused(why) {
	if ($('name-dialog').open || state.name || refusals++ > 3) askName(why);
	else setTimeout(rename, 300 * 2 ** refusals, kept.name);
}

/** A line comes. Perhaps nobody sees it. */
function arrives() {
	if (isRead()) return;
	if (!unread++) log.mark(true);
	changed();
}

function notify(title, text) {
	if (kept.notify !== 'yes' || document.hasFocus() || Date.now() < notifiedAt + PAUSE) return;
	notifiedAt = Date.now();
	try {
		new Notification(title, { body: text.slice(0, 200), tag: 'chat' }).onclick = () => focus();
	} catch {
		kept.notify = 'no'; // Phones have no such notifications.
	}
}

connection.start({
	opened() {
		body.dataset.link = 'on';
		state.lastWord = '';
		hasWaited = false;
		if (kept.name) rename(kept.name);
		else askName();
		session.list();
	},
	received(message) {
		heardAt = Date.now();
		session.received(message);
		if (/full|too-many/.test(state.lastWord)) return;
		connection.served();
		if (lostAt) remark('reconnected', Math.round((heardAt - lostAt) / 1000));
		lostAt = 0;
	},
	/** The server may be starting anew, unless one wanted it to stop. */
	closed() {
		const hasStopped = state.lastWord === 'server-stopping';
		body.dataset.link = 'off';
		lost = session.closed() ?? lost;
		lostAt ||= Date.now();
		refusals = 0;
		hasEnded ||= state.lastWord === 'removed' || hasStopped && stopsServer;
		put('trouble', t(hasStopped ? 'stopped' : hasEnded ? 'ended' : 'offline'));
		changed();
		return !hasEnded;
	},
});

/** The tab is back, or the network: the connection may have died meanwhile. */
function wake() {
	const askedAt = Date.now();
	render();
	if (document.hidden || hasEnded) return;
	connection.connect();
	session.list();
	setTimeout(() => heardAt < askedAt && connection.drop(), ANSWER);
}

// What the person does.

/** Takes a line. Returns what is wrong with it. */
function submit(line) {
	const { kind, value } = parse(line);
	if (kind === 'blank') return '';
	if (kind === 'bad') return t(value);
	if (kind === 'help') return remark('help') && '';
	if (kind === 'chat') return say(value);
	if (!connection.isOpen()) return t('notConnected');
	if (kind === 'name') rename(value, 'say');
	else if (kind === 'create') session.enter(0, 'say', value);
	else if (kind === 'join') session.enter(Number(value), 'say');
	else if (kind === 'leave') session.command('CSLeaveRoom', {}, 'say');
	else if (kind === 'rooms') view('rooms', $('filter').value = value);
	else if (kind === 'quit') connection.drop(hasEnded = true);
	else session.command('CSShutdown', {}, 'say', stopsServer = true);
	return '';
}

function say(value) {
	// Invisible controls come with pasted texts, and the server refuses them.
	const text = value.replace(/[^\P{C}\n\t\p{Cf}\p{Co}\p{Cn}]/gu, '');
	if (!connection.isOpen() || lost) return t('notConnected');
	if (connection.isCongested()) return t('congested');
	if (!state.room) return t('not-in-room');
	const n = session.excess(text);
	if (n > 0) return t('tooLong', { n });
	const sent = session.command('CSChat', { text });
	sent.item = log.say(state.name ?? '', text, { state: 'pending' });
	unread = 0;
	log.mark(false);
	log.toEnd();
	return '';
}

function askName(why = '') {
	put('name-error', why);
	if ($('name-dialog').open) return;
	$('cancel').hidden = !state.name;
	$('name').value = state.name ?? kept.name ?? t('guest', { n: Math.floor(1000 + Math.random() * 9000) });
	$('name-dialog').showModal();
	$('name').select();
}

async function invite() {
	const link = `${location.origin}/#room=${state.room.id}`;
	const isLocal = /^(localhost$|127\.|\[::1)/.test(location.hostname);
	try {
		await navigator.clipboard.writeText(link);
	} catch {
		// Without TLS, there is only the old way.
		const box = el('textarea', '', link);
		body.append(box);
		box.select();
		document.execCommand('copy');
		box.remove();
	}
	log.tell([t('copied', { link }), isLocal ? t('local') : ''], 'client');
}

function createRoom() {
	if (!state.name) return askName();
	lost = null;
	session.enter(0, 'rooms', $('new-title').value.trim() || t('roomOf', { name: state.name }));
	$('create-form').reset();
}

async function toggleNotifications() {
	const isOn = kept.notify !== 'yes' && await Notification.requestPermission() === 'granted';
	kept.notify = isOn ? 'yes' : 'no';
	changed();
}

const actions = {
	me: () => askName(),
	cancel: () => $('name-dialog').close(),
	back: () => view('rooms'),
	invite,
	people: () => members(!body.classList.contains('with-members')),
	close: () => members(false),
	leave: () => session.command('CSLeaveRoom'),
	newer: log.toEnd,
	notify: toggleNotifications,
	connect: () => connection.connect(hasEnded = false),
	'create-form': createRoom,
	'composer': composer.submit,
	'name-form': () => rename(kept.name = $('name').value.trim().replace(/\s+/g, ' ')),
};
onclick = ({ target }) => actions[target.closest('button')?.id]?.();
onsubmit = (event) => {
	event.preventDefault();
	actions[event.target.id]();
};
$('filter').oninput = changed;
$('name-dialog').oncancel = (event) => state.name || event.preventDefault();
onkeydown = ({ key }) => {
	if (key === 'Escape') members(false);
};
onpopstate = () => roomInAddress() ? go(roomInAddress()) : view('rooms');
onfocus = changed;
ononline = document.onvisibilitychange = wake;
// The keyboard on the screen of an iPhone lies over the page.
visualViewport.onresize = () => {
	if (visualViewport.scale === 1) body.style.height = `${visualViewport.height}px`;
};
setInterval(() => document.hidden || session.refresh(), REFRESH);

document.documentElement.lang = lang;
for (const element of document.querySelectorAll('[id]')) {
	const text = t(element.id);
	if (!text) continue;
	if (!element.matches('input, textarea, .icon, #log')) element.textContent = text;
	else element.ariaLabel = element.placeholder = text;
}
$('notify').hidden = !isSecureContext || !('Notification' in window);
composer.start(submit);
log.start(changed, composer.insert);
render();
