/** The conversation. Lines are queued and drawn once a frame, however many come; the newest are kept. */
import { $, el, linked, nameOf } from './dom.js';
import { lang, pieces, t } from './texts.js';

/** Lines kept of a room, lines drawn in a frame, rooms kept. */
const KEPT = 2_000;
const DRAWN = 250;
const ROOMS = 8;
/** Lines of one person within that many ms are one group. */
const GROUP = 5 * 60_000;
/** Names in a line about those who came or left. */
const NAMED = 5;

const clock = new Intl.DateTimeFormat(lang, { hour: 'numeric', minute: '2-digit' });
const calendar = new Intl.DateTimeFormat(lang, { dateStyle: 'full' });

const frame = $('log');
const rooms = new Map();
let lines = frame;
let queue = [];
let last = {};
let marker;
let isAtEnd = true;
let onAgain;

/** Whether the newest line is in view, and stays so. */
export const atEnd = () => isAtEnd;

/** @param {() => void} onScroll @param {(text: string) => void} again takes a text that did not arrive */
export function start(onScroll, again) {
	onAgain = again;
	show('');
	frame.onscroll = () => {
		isAtEnd = frame.scrollHeight - frame.scrollTop - frame.clientHeight < 50;
		onScroll();
	};
	// A keyboard that appears must not hide the newest line.
	new ResizeObserver(() => isAtEnd && toEnd()).observe(frame);
}

/** Shows the lines of a room. Those of others wait for a return. */
export function show(key) {
	while (queue.length) draw();
	if (rooms.size > ROOMS) rooms.clear();
	lines = rooms.get(key) ?? el('div', 'lines');
	keep(key);
	frame.replaceChildren(lines);
	last = {};
	mark(false);
	toEnd();
}

/** The lines shown belong to another room, too. */
export const keep = (key) => rooms.set(key, lines);

/** Adds what a member says, or oneself, if there is a state. Returns what `setState` takes. */
export const say = (who, text, more) => add({ kind: more.state ? 'own' : 'chat', who, text, ...more });

/** Adds a notice of the server, or a line of the page's own (`client`). */
export const tell = (nodes, kind = 'notice') => add({ kind, nodes });

/** Adds that somebody came or left. Those who do so in a row share a line. */
export function move(code, who) {
	const before = queue.at(-1) ?? last;
	if (before.code !== code) return add({ kind: 'notice', code, names: [who], n: 0 });
	if (before.names.length < NAMED) before.names.push(who);
	else before.n++;
	before.node?.firstChild.replaceChildren(...moved(before));
}

function moved({ code, names, n }) {
	const list = names.flatMap((name) => [', ', nameOf(name)]).slice(1);
	return pieces(code, { member: el('span', '', ...list, n ? ` ${t('more', { n })}` : '') });
}

/** Marks where the unread lines begin, or that there are none. */
export function mark(isUnread) {
	marker?.node?.remove();
	queue = queue.filter((item) => item !== marker);
	marker = isUnread && add({ kind: 'marker', nodes: [t('marker')] });
}

/** @param state `pending`, `arrived`, `refused` or `unsure` @param why the reason of a refusal */
export function setState(item, state, why) {
	Object.assign(item, { state, why });
	if (item.node) drawState(item);
}

export function toEnd() {
	isAtEnd = true;
	frame.scrollTop = frame.scrollHeight;
}

function add(item) {
	item.at = Date.now();
	if (!queue.length) requestAnimationFrame(draw);
	queue.push(item);
	// Nothing is drawn in a hidden tab: what will not be kept need not wait.
	if (queue.length > 2 * KEPT) queue.splice(0, KEPT);
	return item;
}

function draw() {
	const nodes = document.createDocumentFragment();
	// Nobody can listen to a flood.
	frame.ariaBusy = queue.length > 30;
	for (const item of queue.splice(0, DRAWN)) {
		item.day = calendar.format(item.at);
		if (last.day && last.day !== item.day) nodes.append(el('p', 'line marker', item.day));
		nodes.append(lineOf(item));
		last = item;
	}
	lines.append(nodes);
	for (let n = lines.childElementCount; n > (isAtEnd ? KEPT : 2 * KEPT); n--) lines.firstChild.remove();
	if (isAtEnd) toEnd();
	if (queue.length) requestAnimationFrame(draw);
}

function lineOf(item) {
	const { kind, who, text, at, isMention } = item;
	const line = item.node = el('div', `line ${kind} ${isMention ? 'mention' : ''}`);
	line.dataset.kind = kind;
	if (!who) {
		line.append(el('p', 'text', ...item.code ? moved(item) : item.nodes));
		return line;
	}
	item.time = clock.format(at);
	if (last.kind === kind && last.who === who && at - last.at < GROUP) {
		line.classList.add('follows');
		last.node.classList.toggle('timeless', last.time === item.time);
	}
	line.append(el('span', 'by', nameOf(who), ' '), el('div', 'text', ...linked(text)), ' ', el('time', '', item.time));
	if (item.state) drawState(item);
	return line;
}

function drawState({ node, text, state, why }) {
	const label = el('span', 'state', why ?? t(state), ' ');
	node.dataset.state = state;
	node.querySelector('.state')?.remove();
	node.append(label);
	if (state !== 'refused' && state !== 'unsure') return;
	label.append(el('button', '', t('again')));
	label.lastChild.onclick = () => onAgain(text);
}
