/** The conversation. Lines are shown once a frame, and the newest are kept. */
import { $, el, linked, nameOf, visible } from './dom.js'
import { lang, pieces, t } from './texts.js'

const LINES_KEPT = 2_000, NAMES_IN_LINE = 20, GROUP_MS = 300_000, INPUT_MS = 1_000, NEAR_TOP = 100

const [clock, calendar] = [{ timeStyle: 'short' }, { dateStyle: 'full' }].map((style) => new Intl.DateTimeFormat(lang, style))

const frame = $('log')
const lines = el('div', 'lines')
const pending = document.createDocumentFragment()
// For those who are not at the end.
let mostLines = 2 * LINES_KEPT
// The last line, if the next one may belong to it, and the day of the last message.
let last = {}
let marker
let onAgain

// Whether the newest line is in view, and stays so, unless one scrolls up. Changes of the layout scroll, too.
export let atEnd = true
let top = 0, inputAt = 0
// A keyboard that appears, or lines that grow, must not hide it.
const sizes = new ResizeObserver(() => atEnd && toEnd())

export function start(onScroll, again) {
	onAgain = again
	frame.append(lines)
	sizes.observe(frame)
	sizes.observe(lines)
	const touched = () => onScroll(inputAt = Date.now())
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

export function clear() {
	pending.replaceChildren()
	lines.replaceChildren()
	last = {}
	mark(false)
	toEnd()
}

// By scrolling up to the first line, or as all of them are in view.
export const wantsOlder = () => top < NEAR_TOP && (atEnd || Date.now() < inputAt + INPUT_MS)

const numbered = () => lines.querySelectorAll('[data-seq]')

export const firstNumber = () => numbered()[0]?.dataset.seq

// The numbers of another room mean nothing.
export const dropNumbers = () => numbered().forEach((line) => delete line.dataset.seq)

export function addOlder(messages, me) {
	draw()
	const newest = last, height = frame.scrollHeight - frame.scrollTop
	last = {}
	for (const message of messages) write(message, me)
	mostLines += pending.childElementCount
	// They are no news.
	frame.ariaBusy = true
	const next = lines.querySelector('.day, [data-seq]')
	lines.insertBefore(pending, next ?? lines.firstChild)
	// Their last day may be the first one below.
	if (next?.textContent === last.day) next?.remove()
	last = newest
	frame.scrollTop = frame.scrollHeight - height
	top = frame.scrollTop
}

export function write(message, me) {
	const { type, code, member, text, from, to, seq, at } = message
	const line = type === 'SCChat' ? say(member === me ? 'own' : 'chat', member, text, at)
		: member ? move(code, member)
		: tell(pieces(code, { ...message, from: from && nameOf(from), to: to && nameOf(to) }, visible(text)))
	if (seq !== undefined) line.dataset.seq ??= seq
	if (line.dataset.kind === 'own') setState(line, 'arrived')
}

// The kind is `chat` or `own`.
export function say(kind, who, text, at = Date.now()) {
	const time = clock.format(at), day = calendar.format(at)
	if (last.day !== day) last = { line: add('day', day) }
	const line = add(kind, el('span', 'by', nameOf(who), ' '), el('div', 'text', ...linked(text)), ' ', el('time', '', time))
	if (last.kind === kind && last.who === who && at - last.at < GROUP_MS) {
		line.classList.add('follows')
		last.line.classList.toggle('timeless', last.time === time)
	}
	last = { kind, who, at, time, day, line }
	return line
}

export function tell(nodes, kind = 'notice') {
	last = { day: last.day }
	return add(kind, el('p', 'text', ...nodes))
}

// Those who come or leave in a row share a line.
function move(code, member) {
	const name = nameOf(member)
	if (last.code === code && last.names.childElementCount < NAMES_IN_LINE) {
		last.names.append(', ', name)
	} else {
		const names = el('span', '', name)
		last = { line: tell(pieces(code, { member: names })), ...last, code, names }
	}
	return last.line
}

export function mark(isUnread) {
	marker?.remove()
	marker = isUnread ? tell([t('marker')], 'marker') : null
}

// A history may have the line, too.
export function arrived(line, seq) {
	draw()
	if (line.parentNode?.querySelector(`[data-seq="${seq}"]`)) return line.remove()
	line.dataset.seq = seq
	setState(line, 'arrived')
}

// The state is `pending`, `arrived`, `refused` or `unsure`.
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
	line.dataset.kind = kind
	pending.append(line)
	// A hidden tab draws nothing.
	trim(pending, LINES_KEPT)
	return line
}

export function draw() {
	// Nobody can listen to a flood.
	frame.ariaBusy = pending.childElementCount > 30
	lines.append(pending)
	trim(lines, atEnd ? LINES_KEPT : mostLines)
	if (atEnd) toEnd()
}

function trim(parent, most) {
	for (let n = parent.childElementCount; n > most; n--) parent.firstChild.remove()
}
