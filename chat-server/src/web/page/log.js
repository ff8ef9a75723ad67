/** The conversation. Lines are shown once a frame, however many come, and the newest are kept. */
import { $, el, linked, nameOf } from './dom.js'
import { lang, pieces, t } from './texts.js'

const LINES_KEPT = 2_000, ROOMS_KEPT = 8, NAMES_IN_LINE = 20, GROUP_MS = 300_000, INPUT_MS = 1_000

const clock = new Intl.DateTimeFormat(lang, { timeStyle: 'short' })
const calendar = new Intl.DateTimeFormat(lang, { dateStyle: 'full' })

const frame = $('log')
const rooms = new Map()
const pending = document.createDocumentFragment()
let lines = frame
// What the last line is, if the next one may belong to it.
let last = {}
let today = calendar.format()
let marker
let onAgain

// Whether the newest line is in view, and stays so, unless one scrolls up. Changes of the layout scroll, too.
export let atEnd = true
let top = 0, inputAt = 0
// A keyboard that appears, or lines that grow, must not hide it.
const sizes = new ResizeObserver(() => atEnd && toEnd())

export function start(onScroll, again) {
	onAgain = again
	show('')
	sizes.observe(frame)
	for (const type of ['wheel', 'keydown', 'pointerdown']) frame.addEventListener(type, touched, { passive: true })
	frame.onscroll = () => {
		const { scrollTop, scrollHeight, clientHeight } = frame
		const below = scrollHeight - scrollTop - clientHeight
		const isUp = scrollTop < top && Date.now() < inputAt + INPUT_MS
		atEnd = below < 2 || (atEnd || below < 50) && !isUp
		top = scrollTop
		// Lines that come into view may have grown since.
		if (atEnd) toEnd()
		onScroll()
	}
}

const touched = () => inputAt = Date.now()

// Shows the lines of a room, or goes on with those shown. Others wait for a return.
export function show(key, goesOn) {
	draw()
	if (rooms.size > ROOMS_KEPT) rooms.clear()
	if (!goesOn) lines = rooms.get(key) ?? el('div', 'lines')
	rooms.set(key, lines)
	frame.replaceChildren(lines)
	sizes.observe(lines)
	last = {}
	mark(false)
	toEnd()
}

// Adds what a member (`chat`) or oneself (`own`) says.
export function say(kind, who, text) {
	const at = Date.now()
	const time = clock.format(at)
	const line = add(kind, el('span', 'by', nameOf(who), ' '), el('div', 'text', ...linked(text)), ' ', el('time', '', time))
	if (last.kind === kind && last.who === who && at - last.at < GROUP_MS) {
		line.classList.add('follows')
		last.line.classList.toggle('timeless', last.time === time)
	}
	last = { kind, who, at, time, line }
	return line
}

// Adds a notice of the server, or of the page (`client`).
export function tell(nodes, kind = 'notice') {
	last = {}
	return add(kind, el('p', 'text', ...nodes))
}

// Adds that somebody came or left. Those who do so in a row share a line.
export function move(code, member) {
	const name = nameOf(member)
	if (last.code === code && last.names.childElementCount < NAMES_IN_LINE) return last.names.append(', ', name)
	const names = el('span', '', name)
	tell(pieces(code, { member: names }))
	last = { code, names }
}

// Marks where unread lines begin, or nowhere.
export function mark(isUnread) {
	marker?.remove()
	marker = isUnread ? tell([t('marker')], 'marker') : null
}

// Sets the state of one's own line: `pending`, `arrived`, `refused`, `unsure`.
export function setState(line, state, why) {
	const isLost = state === 'refused' || state === 'unsure'
	const label = el('span', 'state', why ?? t(state), ' ')
	// Nobody wants to hear of each arrival.
	label.ariaLive = isLost ? 'polite' : 'off'
	line.dataset.state = state
	line.querySelector('.state')?.remove()
	line.append(label)
	if (!isLost) return
	label.append(el('button', '', t('again')))
	label.lastChild.onclick = () => onAgain(line.querySelector('.text').textContent)
}

export function toEnd() {
	atEnd = true
	frame.scrollTop = frame.scrollHeight
	top = frame.scrollTop
}

function add(kind, ...children) {
	const line = el('div', `line ${kind}`, ...children)
	const day = calendar.format()
	if (day !== today) tell([today = day], 'marker')
	line.dataset.kind = kind
	if (!pending.firstChild) requestAnimationFrame(draw)
	pending.append(line)
	// A hidden tab draws nothing.
	trim(pending, LINES_KEPT)
	return line
}

function draw() {
	// Nobody can listen to a flood.
	frame.ariaBusy = pending.childElementCount > 30
	lines.append(pending)
	trim(lines, atEnd ? LINES_KEPT : 2 * LINES_KEPT)
	if (atEnd) toEnd()
}

function trim(parent, most) {
	for (let n = parent.childElementCount; n > most; n--) parent.firstChild.remove()
}
