/** The lists of rooms and of members. Entries stay from one list to the next, and so does focus. */
import { $, el, nameOf, put, setText, visible } from './dom.js';
import { t } from './texts.js';

/** Rooms and members shown. So few rooms need no search. */
const MOST = 200;
const FEW = 8;

/** @type {Map<number, HTMLElement>} */
const entries = new Map();
let shownMembers = '';

/** @param own the room that one is in @param {(id: number) => void} onEnter */
export function showRooms(rooms, own, unread, onEnter) {
	const word = $('filter').value.trim().toLowerCase();
	const found = [...rooms.values()].filter(({ title }) => title.toLowerCase().includes(word));
	const shown = new Map(found.slice(0, MOST).map((room) => [room.id, room.id === own?.id ? own : room]));
	for (const [id, entry] of entries) if (!shown.has(id)) entries.delete(id) && entry.remove();
	let next = $('rooms').firstChild;
	for (const [id, room] of shown) {
		const entry = entries.get(id) ?? entryOf(id, onEnter);
		fill(entry.firstChild, room, room === own, unread);
		if (entry === next) next = next.nextSibling;
		else $('rooms').insertBefore(entry, next);
	}
	$('filter').hidden = rooms.size <= FEW && !word;
	const n = found.length - shown.size;
	put('rooms-note', n ? t('more', { n }) : shown.size ? '' : t(word ? 'noRoomFound' : 'noRooms'));
}

function entryOf(id, onEnter) {
	const button = el('button', 'room', ...['title', 'badge', 'count', 'names'].map((part) => el('span', part)));
	button.onclick = () => onEnter(id);
	entries.set(id, el('li', '', button));
	return entries.get(id);
}

function fill(button, { title, count, members }, isOwn, unread) {
	const names = [...members].slice(0, 6).map(visible).join(', ');
	const texts = [visible(title), isOwn && unread ? t('unread', { n: unread }) : '', t('count', { n: count }), names];
	texts.forEach((text, i) => setText(button.children[i], text));
	button.ariaCurrent = isOwn;
}

/** @param own one's own name @param {(name: string) => void} onMention */
export function showMembers(room, own, onMention) {
	const names = [...room?.members ?? []].slice(0, MOST);
	const n = room?.count - names.length;
	put('members-more', n > 0 ? t('more', { n }) : '');
	if (shownMembers === (shownMembers = [own, ...names].join('\n'))) return;
	$('members').replaceChildren(...names.map((name) => {
		if (name === own) return el('li', '', nameOf(name), ` (${t('you')})`);
		const button = el('button', '', nameOf(name));
		button.onclick = () => onMention(`${name} `);
		return el('li', '', button);
	}));
}
