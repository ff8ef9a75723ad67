/** The lists of rooms and members. Entries of rooms stay, and focus with them. */
import { $, el, nameOf, put, visible } from './dom.js'
import { t } from './texts.js'

const MOST_SHOWN = 200, FILTER_FROM = 9

const entries = new Map()
let shownMembers = ''

export function showRooms(rooms, own, unread, onEnter) {
	const word = $('filter').value.trim().toLowerCase()
	const found = [...rooms.values()].filter(({ title }) => title.toLowerCase().includes(word))
	const shown = new Map(found.slice(0, MOST_SHOWN).map((room) => [room.id, room.id === own?.id ? own : room]))
	const n = found.length - shown.size
	for (const [id, entry] of entries) if (!shown.has(id)) entries.delete(id) && entry.remove()
	let next = $('rooms').firstChild
	for (const [id, room] of shown) {
		const entry = entries.get(id) ?? entryOf(id, onEnter)
		fill(entry.firstChild, room, room === own, unread)
		if (entry === next) next = next.nextSibling
		else $('rooms').insertBefore(entry, next)
	}
	$('filter').hidden = rooms.size < FILTER_FROM && !word
	put($('rooms-note'), n ? t('more', { n }) : shown.size ? '' : t(word ? 'no-such-room' : 'noRooms'))
}

function entryOf(id, onEnter) {
	const button = el('button', 'room', ...['title', 'badge', 'count', 'names'].map((part) => el('span', part)))
	button.onclick = () => onEnter(id)
	entries.set(id, el('li', '', button))
	return entries.get(id)
}

function fill(button, { title, members, count = members.size }, isOwn, unread) {
	const [name, badge, size, names] = button.children
	put(name, visible(title))
	put(badge, isOwn && unread ? t('unread', { n: unread }) : '')
	put(size, t('count', { n: count }))
	put(names, [...members].slice(0, 6).map(visible).join(', '))
	button.ariaCurrent = isOwn
}

export function showMembers(room, own, onMention) {
	const names = [...room?.members ?? []].slice(0, MOST_SHOWN)
	const n = room?.members.size - names.length
	put($('members-more'), n > 0 ? t('more', { n }) : '')
	if (shownMembers === (shownMembers = [own, ...names].join('\n'))) return
	$('members').replaceChildren(...names.map((name) => {
		const button = el('button', '', nameOf(name), name === own ? ` (${t('you')})` : '')
		button.onclick = () => onMention(`${name} `)
		return el('li', '', button)
	}))
}
