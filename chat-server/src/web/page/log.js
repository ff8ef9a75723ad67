/** The conversation. Lines are drawn once a frame, however many come, and the newest are kept. */
import { $, el, linked, nameOf } from './dom.js'
import { lang, pieces, t } from './texts.js'

// Lines kept of a room, and drawn in a frame; rooms kept; names in a line; ms between the lines of a group.
const [KEPT, DRAWN, ROOMS, MOST, GROUP] = [2_000, 250, 8, 20, 300_000]

const clock = new Intl.DateTimeFormat(lang, { timeStyle: 'short' })
const calendar = new Intl.DateTimeFormat(lang, { dateStyle: 'full' })

const frame = $('log')
const rooms = new Map()
let lines = frame
let queue = []
let last = {}
let marker
let onAgain

// Whether the newest line is in view, and stays so.
export let atEnd = true

/** @param again takes a text that did not arrive */
export function start(onScroll, again) {
	onAgain = again
	show('')
	frame.onscroll = () => {
		atEnd = frame.scrollHeight - frame.scrollTop - frame.clientHeight < 50
		onScroll()
	}
	// A keyboard that appears must not hide the newest line.
	new ResizeObserver(() => atEnd && toEnd()).observe(frame)
}

// Shows the lines of a room, or goes on with those shown. Others wait for a return.
export function show(key, goesOn) {
	while (queue.length) draw()
	if (rooms.size > ROOMS) rooms.clear()
	if (!goesOn) lines = rooms.get(key) ?? el('div', 'lines')
	rooms.set(key, lines)
	frame.replaceChildren(lines)
	last = {}
	mark(false)
	toEnd()
}

// Adds what a member says (`chat`) or oneself (`own`). Returns what `setState` takes.
export const say = (kind, who, text) => add({ kind, who, text, state: kind === 'own' && 'pending' })

// Adds a notice of the server, or a line of the page's own (`client`).
export const tell = (nodes, kind = 'notice') => add({ kind, nodes })

// Adds that somebody came or left. Those who do so in a row share a line.
export function move(code, member) {
	const { code: before, names } = queue.at(-1) ?? last
	if (before === code && names.childElementCount < MOST) return names.append(', ', nameOf(member))
	const item = tell([])
	item.names = el('span', '', nameOf(member))
	Object.assign(item, { code, nodes: pieces(code, { member: item.names }) })
}

// Marks where the unread lines begin, or that there are none.
export function mark(isUnread) {
	marker?.node?.remove()
	queue = queue.filter((item) => item !== marker)
	marker = isUnread && add({ kind: 'marker', nodes: [t('marker')] })
}

// The state is `pending`, `arrived`, `refused` or `unsure`.
export function setState(item, state, why) {
	Object.assign(item, { state, why })
	if (item.node) drawState(item)
}

export function toEnd() {
	atEnd = true
	frame.scrollTop = frame.scrollHeight
}

function add(item) {
	item.at = Date.now()
	if (!queue.length) requestAnimationFrame(draw)
	queue.push(item)
	// A hidden tab draws nothing.
	if (queue.length > 2 * KEPT) queue.splice(0, KEPT)
	return item
}

function draw() {
	const nodes = document.createDocumentFragment()
	// Nobody can listen to a flood.
	frame.ariaBusy = queue.length > 30
	for (const item of queue.splice(0, DRAWN)) {
		item.day = calendar.format(item.at)
		if (last.day && last.day !== item.day) nodes.append(el('p', 'line marker', item.day))
		nodes.append(lineOf(item))
		last = item
	}
	lines.append(nodes)
	for (let n = lines.childElementCount; n > (atEnd ? KEPT : 2 * KEPT); n--) lines.firstChild.remove()
	if (atEnd) toEnd()
	if (queue.length) requestAnimationFrame(draw)
}

function lineOf(item) {
	const { kind, who, text, at } = item
	const line = item.node = el('div', `line ${kind}`)
	line.dataset.kind = kind
	if (!who) {
		line.append(el('p', 'text', ...item.nodes))
		return line
	}
	item.time = clock.format(at)
	if (last.kind === kind && last.who === who && at - last.at < GROUP) {
		line.classList.add('follows')
		last.node.classList.toggle('timeless', last.time === item.time)
	}
	line.append(el('span', 'by', nameOf(who), ' '), el('div', 'text', ...linked(text)), ' ', el('time', '', item.time))
	if (item.state) drawState(item)
	return line
}

function drawState({ node, text, state, why }) {
	const label = el('span', 'state', why ?? t(state), ' ')
	node.dataset.state = state
	node.querySelector('.state')?.remove()
	node.append(label)
	if (state !== 'refused' && state !== 'unsure') return
	label.append(el('button', '', t('again')))
	label.lastChild.onclick = () => onAgain(text)
}
