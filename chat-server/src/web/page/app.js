/** Brings the parts together: what the person does goes to the session, and what happens there to the page. */
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
const REFRESH = 10_000;
const ANSWERS_WITHIN = 8_000;
const PATIENCE = 2_000;

/** What is kept for the next visit, if the browser allows. */
const kept = (() => {
	try {
		return localStorage;
	} catch {
		return {};
	}
})();

let notifiedAt = 0;
/** How often the name was refused on this connection. */
let refusals = 0;
/** The room to enter once there is a name. */
let target = roomInAddress();
/** The room to return to after a lost connection, and since when. */
let lost = null;
let lostAt = 0;
let hasWaited = false;
let heardAt = 0;
let hasEnded = false;
let stopsServer = false;
let unread = 0;
let isStale = false;

// What is shown.

const isShown = () => !isNarrow.matches || body.dataset.view === 'chat';
const isRead = () => document.hasFocus() && !document.hidden && log.atEnd() && isShown();

/** Shows the state soon: with the next frame, or without frames in a hidden tab. */
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
	showMembers(room ?? { members: [], count: 0 }, state.name, composer.insert);
	body.classList.toggle('in-room', Boolean(room));
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
		if (lost) {
			log.keep(key);
			missed(roomId, seq);
		} else {
			log.show(key);
		}
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
		const { code, member, from, to, text, announcement, reason } = message;
		if (member) return log.move(code, member);
		if (announcement || reason) arrives();
		const names = from && { from: nameOf(from), to: nameOf(to) };
		log.tell(pieces(code, { ...message, ...names }, visible(text)));
	},
	became(sent, what, message) {
		log.setState(sent.item, what, message && words(message));
	},
	/** Shows a refusal where its cause is. */
	refused({ kind, from }, message) {
		stopsServer = false;
		if (from === 'say') composer.hint(words(message));
		else if (kind === 'name') nameRefused(message);
		else put('rooms-error', words(message));
		if (kind !== 'name' && !state.room) inNoRoom();
	},
});

const words = ({ code, text }) => t(code, {}, visible(text));

/** Back to the room of before: by its number, else by its title, else made again if nobody else does so. */
function comeBack({ id, title }) {
	// A server that starts anew begins its numbers anew.
	const same = state.rooms.get(id)?.title === title ? { id } : [...state.rooms.values()].find((room) => room.title === title);
	if (same || hasWaited) return session.enter(same?.id, 'rooms', !same && title);
	hasWaited = true;
	setTimeout(session.list, PATIENCE * Math.random());
}

function inNoRoom() {
	if (session.isMoving()) return;
	log.show('');
	lost = null;
	setAddress(0);
	view('rooms');
}

/** Says what was missed between the last broadcast of before and the one that says that one entered again. */
function missed(id, seq) {
	// Two of them are about oneself.
	const n = seq - lost.seq - 2;
	if (id !== lost.id) remark('otherRoom', lost.id);
	else if (n > 0) remark('missed', n);
}

/** One's name of before is free again once the server has noticed that the old connection is gone. */
function nameRefused(message) {
	if ($('name-dialog').open || state.name || refusals++ > 3) askName(words(message));
	else setTimeout(session.rename, 300 * 2 ** refusals, kept.name);
}

/** A line comes. Perhaps nobody sees it. */
function arrives() {
	if (isRead()) return;
	if (!unread++) log.mark(true);
	changed();
}

function notify(title, text) {
	if (kept.notify !== 'yes' || document.hasFocus() || Date.now() < notifiedAt + 3_000) return;
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
		if (kept.name) session.rename(kept.name);
		else askName();
		hasWaited = false;
		session.list();
	},
	received(message) {
		heardAt = Date.now();
		session.received(message);
		if (/full|too-many/.test(state.lastWord)) return;
		connection.served();
		if (lostAt) remark('reconnected', Math.round((Date.now() - lostAt) / 1000));
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
	render();
	if (document.hidden) return;
	if (!connection.isOpen()) return hasEnded || connection.connect();
	const askedAt = Date.now();
	session.list();
	setTimeout(() => heardAt < askedAt && connection.drop(), ANSWERS_WITHIN);
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
	if (kind === 'name') session.rename(value, 'say');
	else if (kind === 'create') session.enter(0, 'say', value);
	else if (kind === 'join') session.enter(Number(value), 'say');
	else if (kind === 'leave') session.leave('say');
	else if (kind === 'rooms') view('rooms', $('filter').value = value);
	else if (kind === 'quit') connection.drop(hasEnded = true);
	else session.shutdown('say', stopsServer = true);
	return '';
}

function say(value) {
	// Invisible controls come with pasted texts, and the server refuses them.
	const text = value.replace(/[^\P{C}\n\t\p{Cf}\p{Co}\p{Cn}]/gu, '');
	if (!connection.isOpen()) return t('notConnected');
	if (connection.isCongested()) return t('congested');
	if (!state.room) return t('not-in-room');
	if (typed(text)) return typed(text);
	const sent = session.chat(text);
	sent.item = log.say(state.name ?? '', text, { state: 'pending', again });
	unread = 0;
	log.mark(false);
	log.toEnd();
	return '';
}

/** Says a text again that did not arrive. Returns whether it could be sent. */
function again(text) {
	const complaint = say(text);
	composer.hint(complaint);
	return !complaint;
}

/** What is wrong with a text that is being written. */
function typed(text) {
	const n = text.length < 10_000 ? 0 : session.excess(text);
	return n > 0 ? t('tooLong', { n }) : '';
}

function askName(complaint = '') {
	const dialog = $('name-dialog');
	put('name-error', complaint);
	if (dialog.open) return;
	$('cancel').hidden = !state.name;
	$('name').value = state.name ?? kept.name ?? t('guest', { n: 1000 + Math.floor(Math.random() * 9000) });
	dialog.showModal();
	$('name').select();
}

async function invite() {
	const link = `${location.origin}/#room=${state.room.id}`;
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
	const isLocal = /^(localhost$|127\.|\[::1)/.test(location.hostname);
	log.tell([...pieces('copied', { link }), ' ', isLocal ? t('local') : ''], 'client');
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

const clicks = {
	'me': () => askName(),
	'cancel': () => $('name-dialog').close(),
	'back': () => view('rooms'),
	'invite': invite,
	'people': () => members(!body.classList.contains('with-members')),
	'close': () => members(false),
	'leave': () => session.leave(),
	'newer': log.toEnd,
	'notify': toggleNotifications,
	'connect': () => connection.connect(hasEnded = false),
};
for (const [id, click] of Object.entries(clicks)) $(id).onclick = click;

const submits = {
	'create-form': createRoom,
	'composer': composer.submit,
	'name-form': () => session.rename(kept.name = $('name').value.trim().replace(/\s+/g, ' ')),
};
for (const [id, submit] of Object.entries(submits)) {
	$(id).onsubmit = (event) => {
		event.preventDefault();
		submit();
	};
}

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
$('notify').hidden = !(isSecureContext && 'Notification' in window);
composer.start({ submit, typed });
log.start(changed);
render();
