/** Brings the parts together: what a person does goes to the session, what happens there to the page. */
import { parse } from './commands.js'
import * as composer from './composer.js'
import * as connection from './connection.js'
import { $, el, linked, nameOf, put, visible } from './dom.js'
import * as log from './log.js'
import { showMembers, showRooms } from './panels.js'
import * as session from './session.js'
import { lang, pieces, t } from './texts.js'

const { state } = session
const { body } = document
const dialog = $('name-dialog')
const isNarrow = matchMedia('(max-width: 45rem)')

const REFRESH_MS = 20_000, ANSWER_MS = 8_000, NOTIFY_MS = 3_000

// Kept for the next visit, if the browser may.
let kept = {}
try { kept = localStorage } catch {}

// The room to enter once there is a name, the one of a lost connection, the one left for another, the one made again.
let target = roomInAddress(), lost = null, previous = null, remade = null
// The name here. Another tab may have a later one.
let wanted = kept.name
let lostAt = 0, heardAt = 0, notifiedAt = 0
let refusals = 0, unread = 0
let hasEnded = false, isStale = false

// What is shown.

const isRead = () => document.hasFocus() && !document.hidden && log.atEnd
	&& !(isNarrow.matches && body.dataset.view === 'rooms')

// Shows the state soon. A hidden tab has no frames.
function changed() {
	if (!isStale) (document.hidden ? setTimeout : requestAnimationFrame)(render)
	isStale = true
}

function render() {
	isStale = false
	if (isRead()) unread = 0
	const room = state.room ?? lost
	const { id, title = t('chat'), count } = room ?? {}
	showRooms(state.rooms, room, unread, go)
	showMembers(room, state.name, composer.insert)
	body.classList.toggle('in-room', room)
	document.title = (unread ? `(${unread}) ` : '') + title
	put($('room-title'), visible(title))
	put($('room-number'), id ? t('room', { n: id }) : '')
	put($('people'), t('count', { n: count }))
	put($('me'), t('me', { name: visible(state.name ?? '…') }))
	put($('empty'), !room ? t('not-in-room') : count < 2 ? t('alone') : '')
	put($('newer'), `↓ ${unread ? t('unread', { n: unread }) : t('newest')}`)
	$('newer').hidden = log.atEnd
	$('notify').ariaPressed = kept.notify === 'granted'
}

// Shows the rooms or the conversation, where only one fits.
function view(name) {
	body.dataset.view = name
	if (isNarrow.matches) $(name === 'chat' ? 'room-title' : 'rooms-title').focus()
	else if (!matchMedia('(pointer: coarse)').matches) $('say').focus()
	session.refresh()
	changed()
}

const complain = (text) => put($('rooms-error'), text)
const remark = (key, n) => log.tell(pieces(key, { n }), 'client')

// The address has the room that one is in.

function roomInAddress() {
	return +location.hash.match(/^#room=(\d{1,15})$/)?.[1] || 0
}

function setAddress(id) {
	const old = roomInAddress()
	if (old !== id) history[old ? 'replaceState' : 'pushState'](null, '', id ? `#room=${id}` : '/')
}

function go(id, from) {
	complain('')
	if (id === (state.room ?? lost)?.id) {
		setAddress(id)
		return view('chat')
	}
	lost = null
	if (state.name) return session.enter(id, '', from)
	target = id
	if (!wanted || refusals) askName()
}

// What happens.

session.start({
	changed,
	listed() {
		changed()
		connection.served()
		if (lostAt) remark('reconnected', Math.round((heardAt - lostAt) / 1000))
		lostAt = 0
		if (session.isMoving()) return
		if (lost) comeBack()
		else if (remade && remade === state.room) {
			// Others may have made it, too: all go to the oldest.
			const [{ id }] = titled(remade)
			if (id === remade.id) return
			lost = remade
			session.enter(id)
		}
	},
	named() {
		kept.name = wanted = state.name
		refusals = 0
		dialog.close()
		if (target) session.enter(target)
		target = 0
	},
	entered({ code, roomId, seq }) {
		// Two of the numbers since are notices about oneself.
		const n = lost?.id === roomId ? seq - lost.seq - 2 : 0
		log.show(`${roomId} ${state.room.title}`, lost)
		if (!lost) view('chat')
		remade = lost && code === 'room-created' && state.room
		lost = previous = null
		if (n > 0) remark('missed', n)
		log.tell(pieces(code, { roomId }))
		setAddress(roomId)
	},
	left(room) {
		previous = room
		inNoRoom()
	},
	chat({ member, text }) {
		arrives()
		log.say('chat', member, text)
		notify(member, text)
	},
	notice(message) {
		const { code, member, from, to, text, announcement } = message
		if (member) return log.move(code, member)
		if (announcement) arrives()
		log.tell(pieces(code, { ...message, from: from && nameOf(from), to: to && nameOf(to) }, visible(text)))
	},
	became(sent, what, message) {
		log.setState(sent.line, what, message && words(message))
	},
	// Shows a refusal where its cause is.
	refused({ name, from }, message) {
		if (from === 'say') composer.hint(words(message))
		else if (name) nameRefused(words(message))
		else complain(words(message))
		if (!name && !state.room) inNoRoom(previous)
	},
})

const rename = (name, from) => session.command('CSName', { name }, from)
const words = ({ code, text }) => t(code, {}, visible(text))

// Shows the rooms, or goes back to the one that was left for a refusal.
function inNoRoom(back = null) {
	if (session.isMoving()) return
	lost = back
	previous = null
	if (lost) return session.list()
	log.show('')
	setAddress(0)
	view('rooms')
}

const titled = ({ title }) => [...state.rooms.values()].filter((room) => room.title === title)

// Back to the room by its number, else by its title: a new server numbers anew. Else it is made again.
function comeBack() {
	const rooms = titled(lost)
	const room = rooms.find(({ id }) => id === lost.id) ?? rooms[0]
	session.enter(room?.id, !room && lost.title)
}

// A name is free once the server has noticed that the old connection is gone.
function nameRefused(why) {
	wanted = state.name ?? wanted
	if (dialog.open || state.name || refusals++ > 2) askName(why)
	else setTimeout(rename, 300 * 2 ** refusals, wanted)
}

// A line comes, perhaps unseen.
function arrives() {
	if (isRead()) return
	if (!unread++) log.mark(true)
	changed()
}

function notify(title, text) {
	if (kept.notify !== 'granted' || document.hasFocus() || Date.now() < notifiedAt + NOTIFY_MS) return
	notifiedAt = Date.now()
	try {
		new Notification(title, { body: text.slice(0, 200), tag: 'chat' }).onclick = () => focus()
	} catch {
		kept.notify = ''; // Phones have no such notifications.
	}
}

connection.start({
	opened() {
		body.dataset.link = 'on'
		state.lastWord = ''
		if (wanted) rename(wanted)
		else askName()
		session.list()
	},
	received(message) {
		heardAt = Date.now()
		session.received(message)
	},
	closed() {
		body.dataset.link = 'off'
		lost = session.closed() ?? lost
		lostAt ||= heardAt
		refusals = 0
		hasEnded ||= state.lastWord === 'removed'
		put($('trouble'), t(hasEnded ? 'ended' : state.lastWord === 'server-stopping' ? state.lastWord : 'offline'))
		changed()
		return !hasEnded
	},
})

// The tab or the network is back, or time has gone by: the connection may have died.
function wake() {
	const askedAt = Date.now()
	render()
	if (hasEnded) return
	connection.connect()
	session.ping()
	if (!document.hidden) session.refresh()
	setTimeout(() => heardAt < askedAt && connection.drop(), ANSWER_MS)
}

// What the person does.

const commands = {
	help: () => remark('help'),
	name: (name) => rename(name, 'say'),
	rooms: (word) => view('rooms', $('filter').value = word),
	create: (title) => session.enter(0, title, 'say'),
	join: (id) => go(Number(id), 'say'),
	leave: () => lost ? inNoRoom() : session.command('CSLeaveRoom', {}, 'say'),
	shutdown: () => session.command('CSShutdown', {}, 'say'),
	quit: () => connection.drop(hasEnded = true),
}

// Returns what is wrong with a line.
function submit(line) {
	const { kind, value } = parse(line)
	if (kind === 'bad') {
		const form = t('help').split(' · ').find((form) => form.split(' ')[0] === value)
		return t(form ? 'form' : 'unknown', { form })
	}
	if (kind === 'chat') return say(value)
	if (kind !== 'help' && !connection.isOpen()) return t('ended')
	commands[kind](value)
	return ''
}

function say(value) {
	// Pastes may have invisible controls, which the server refuses.
	const text = value.replace(/[^\P{C}\n\t\p{Cf}\p{Co}\p{Cn}]/gu, '')
	if (!text.trim()) return ''
	if (!connection.isOpen() || lost) return t('ended')
	if (!state.room) return t('not-in-room')
	const n = session.excess(text)
	if (n > 0) return t('tooLong', { n })
	const sent = session.command('CSChat', { text })
	sent.line = log.say('own', state.name ?? '', text)
	log.setState(sent.line, 'pending')
	unread = 0
	log.mark(false)
	log.toEnd()
	return ''
}

function askName(why = '') {
	put($('name-error'), why)
	if (dialog.open) return
	$('name').value = state.name ?? wanted ?? t('guest', { n: String(Math.random()).slice(-4) })
	dialog.showModal()
	$('name').select()
}

async function invite() {
	const link = `${location.origin}/#room=${(state.room ?? lost).id}`
	try {
		await navigator.clipboard.writeText(link)
	} catch {
		// Without TLS, there is only the old way.
		const box = el('textarea', '', link)
		body.append(box)
		box.select()
		document.execCommand('copy')
		box.remove()
	}
	log.tell(linked(t('copied', { link })), 'client')
}

const actions = {
	me: askName,
	cancel: () => dialog.close(),
	back: () => view('rooms'),
	invite,
	leave: commands.leave,
	newer: log.toEnd,
	async notify() {
		kept.notify = kept.notify !== 'granted' && await Notification.requestPermission()
		changed()
	},
	connect: () => view(body.dataset.view, connection.connect(hasEnded = false)),
	'create-form'() {
		complain('')
		if (!connection.isOpen()) return complain(t('ended'))
		if (!state.name) return askName()
		lost = null
		session.enter(0, $('new-title').value.trim() || t('roomOf', { name: state.name }))
		$('create-form').reset()
	},
	composer: composer.submit,
	'name-form'() {
		put($('name-error'), connection.isOpen() ? '' : t('ended'))
		rename(wanted = $('name').value.trim().replace(/\s+/g, ' '))
	},
}
onclick = ({ target }) => actions[target.closest('button')?.id]?.()
onsubmit = (event) => {
	event.preventDefault()
	actions[event.target.id]()
}
$('filter').oninput = changed
// The focus must not go behind the members.
$('pane').addEventListener('focusout', ({ relatedTarget: to }) => {
	if (to && !to.closest('#pane')) $('pane').togglePopover(false)
})
onpopstate = () => roomInAddress() ? go(roomInAddress()) : view('rooms')
onfocus = changed
ononline = document.onvisibilitychange = wake
// The keyboard on the screen of an iPhone lies over the page.
visualViewport.onresize = () => {
	if (visualViewport.scale !== 1) return
	body.style.height = `${visualViewport.height}px`
	scrollTo(0, 0)
}
setInterval(wake, REFRESH_MS)

document.documentElement.lang = lang
for (const element of document.querySelectorAll('[id]')) {
	const text = t(element.id)
	if (!text) continue
	if (!element.matches('input, textarea, .icon, #log')) element.textContent = text
	else element.ariaLabel = element.placeholder = text
}
$('me').title = t('rename')
$('notify').hidden = !isSecureContext || !window.Notification
composer.start(submit)
log.start(changed, composer.insert)
render()
