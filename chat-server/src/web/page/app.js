/** Brings the parts together: what a person does goes to the session, what happens there to the page. */
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

const REFRESH_MS = 20_000, ANSWER_MS = 8_000, NOTIFY_MS = 3_000, LONGEST_BYTES = 65_000

// What outlives the page, if the browser may keep it.
let kept = {}, tab = {}
try {
	kept = localStorage
	tab = sessionStorage
} catch {}

// The room to enter once there is a name. With a title, it is one to come back to.
let lost = null
// The name here. Another tab may have a later one.
let wanted = kept.name
let heardAt = 0, notifiedAt = 0, unread = 0
let hasEnded = false, isStale = false, back

const isRead = () => document.hasFocus() && log.atEnd && !(isNarrow.matches && body.dataset.view === 'rooms')

// A hidden tab has no frames.
function changed() {
	if (!isStale) (document.hidden ? setTimeout : requestAnimationFrame)(render)
	isStale = true
}

function render() {
	isStale = false
	if (!document.hidden) log.draw()
	if (isRead()) unread = 0
	const room = state.room ?? (lost?.title ? lost : null)
	const { id, title = t('chat'), members } = room ?? {}
	const count = members?.size || '…'
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
	if (state.isOn && state.room && log.wantsOlder()) session.older(log.firstNumber())
}

function view(name) {
	body.dataset.view = name
	if (isNarrow.matches) $(name === 'chat' ? 'room-title' : 'rooms-title').focus()
	else if (!matchMedia('(pointer: coarse)').matches) $('say').focus()
	session.refresh()
	changed()
}

const complain = (text) => put($('rooms-error'), text)
const remark = (key) => log.tell(pieces(key), 'client')

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
	lost = state.isOn && state.name ? null : { id }
	if (!lost) session.enter({ id }, from)
	else if (!wanted) askName()
}

session.start({
	welcomed(room, isSame, isNewEpoch) {
		body.dataset.link = 'on'
		connection.served()
		if (!isSame) lost ??= room
		else if (heardAt) {
			back?.remove()
			back = remark('resumed')
		}
		if (isNewEpoch && lost?.title) {
			lost.id = lost.seq = undefined
			remark('gap')
		}
		if (state.name) this.named()
		else if (wanted) rename(wanted)
		else askName()
		session.list()
	},
	listed() {
		if (!lost || !state.name || session.isMoving()) return
		const { id, title } = lost
		// A new server numbers anew. Others may make it again, too: all go to the oldest of its title.
		const room = !title || state.rooms.has(id) ? lost : [...state.rooms.values()].find((room) => room.title === title)
		if (room && room.id === state.room?.id) lost = null
		else session.enter(room ?? { title }, 'back')
	},
	named() {
		kept.name = wanted = state.name
		dialog.close()
		session.list()
	},
	entered({ code, roomId }, { from, seq }) {
		const isBack = from === 'back' && lost?.title
		if (!isBack) {
			log.clear()
			view('chat')
		} else if (seq === undefined) {
			log.dropNumbers()
		}
		if (!isBack || code === 'room-entered') lost = null
		setAddress(roomId)
	},
	left(room) {
		lost = session.isMoving() ? lost ?? room : null
		inNoRoom()
	},
	told(message) {
		const { code, member, text, announcement } = message
		const isOwn = member === state.name
		if (isOwn && code) return
		if (code ? announcement : !isOwn) arrives(member ?? t('chat'), text)
		log.write(message, state.name)
	},
	older: (messages) => log.addOlder(messages, state.name),
	gap: () => remark('gap'),
	became,
	refused({ name, from }, message) {
		if (from === 'say') composer.hint(words(message))
		else if (name) askName(words(message), wanted = state.name)
		else complain(words(message))
		if (from === 'back') lost = null
		if (!name && !state.room) inNoRoom()
	},
})

function became(sent, how, message) {
	if (how === 'pending' || !sent.line) {
		sent.line?.remove()
		sent.line = log.say('own', state.name ?? '', sent.text)
	}
	if (how === 'arrived') log.arrived(sent.line, message.seq)
	else log.setState(sent.line, how, message && words(message))
}

const rename = (name, from) => session.command('CSName', { name }, from)
const words = ({ code, text }) => t(code, {}, visible(text))

function inNoRoom() {
	if (session.isMoving()) return
	if (lost) return session.list()
	log.clear()
	setAddress(0)
	view('rooms')
}

function arrives(title, text) {
	if (isRead()) return
	if (!unread++) log.mark(true)
	if (kept.notify !== 'granted' || document.hasFocus() || Date.now() < notifiedAt + NOTIFY_MS) return
	notifiedAt = Date.now()
	try {
		new Notification(title, { body: text, tag: 'chat' }).onclick = () => focus()
	} catch {
		kept.notify = '' // Phones have none.
	}
}

connection.start({
	opened: session.hello,
	received(message) {
		session.received(message)
		heardAt = Date.now()
		changed()
	},
	closed() {
		const why = state.lastWord
		body.dataset.link = 'off'
		state.isOn = false
		hasEnded ||= /removed|elsewhere/.test(why)
		put($('trouble'), t(/stopping|elsewhere/.test(why) ? why : hasEnded ? 'ended' : 'offline'))
		changed()
		return !hasEnded
	},
})

// The connection may have died.
function wake() {
	const askedAt = Date.now()
	// A copy of a tab that is shown must not take its session.
	if (document.hidden) tab.session = session.saved()
	else delete tab.session
	render()
	if (hasEnded) return
	connection.connect()
	session.command('CSPing')
	if (!document.hidden) session.refresh()
	setTimeout(() => heardAt < askedAt && connection.drop(), ANSWER_MS)
}

const leave = () => state.room ? session.command('CSLeaveRoom', {}, 'say') : inNoRoom(lost = null)

// What has to follow a command, and what it does.
const commands = {
	__proto__: null,
	help: [/^/, () => remark('help')],
	name: [/./, (name) => rename(name, 'say')],
	rooms: [/^/, (word) => view('rooms', $('filter').value = word)],
	create: [/./, (title) => session.enter({ title }, 'say')],
	join: [/^0*[1-9]\d{0,14}$/, (id) => go(Number(id), 'say')],
	leave: [/^$/, leave],
	who: [/^$/, () => {
		const names = [...state.room?.members ?? []].flatMap((name) => [', ', nameOf(name)])
		log.tell([`${t('members-title')}: `, ...names.slice(1)], 'client')
	}],
	shutdown: [/^$/, () => session.command('CSShutdown', {}, 'say')],
	quit: [/^$/, () => connection.drop(hasEnded = session.command('CSQuit'))],
}

// Returns what is wrong with a line.
function submit(line) {
	changed()
	const text = line.trim()
	if (!/^[/／]/.test(text)) return say(line)
	if (/^.[/／]/.test(text)) return say(text.slice(1))
	const [word, ...words] = text.slice(1).split(/\s+/)
	const kind = word.toLowerCase(), value = words.join(' ')
	const [rest, run] = commands[kind] ?? []
	if (!rest?.test(value)) {
		const form = t('help').split(' · ').find((form) => form.split(' ')[0] === `/${kind}`)
		return t(form ? 'form' : 'unknown', { form })
	}
	if (kind !== 'help' && !state.isOn) return t('ended')
	run(value)
	return ''
}

function say(value) {
	// Pastes may have invisible controls, which the server refuses.
	const text = value.replace(/[^\P{C}\n\t\p{Cf}\p{Co}\p{Cn}]/gu, '')
	if (!text.trim()) return ''
	if (!state.isOn) return t('ended')
	if (!state.room) return t('not-in-room')
	if (new Blob([JSON.stringify(text)]).size > LONGEST_BYTES) return t('tooLong')
	became(session.command('CSChat', { text }), 'pending')
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

function invite() {
	const link = location.href
	// Works without TLS, too.
	const box = el('textarea', '', link)
	body.append(box)
	box.select()
	document.execCommand('copy')
	box.remove()
	$('invite').focus()
	log.tell(linked(t('copied', { link })), 'client')
}

const actions = {
	me: askName,
	cancel: () => dialog.close(),
	back: () => view('rooms'),
	invite,
	leave,
	newer: log.toEnd,
	async notify() {
		kept.notify = kept.notify !== 'granted' && await Notification.requestPermission()
		changed()
	},
	connect: () => view(body.dataset.view, connection.connect(hasEnded = false)),
	'create-form'() {
		complain('')
		if (!state.isOn) return complain(t('ended'))
		if (!state.name) return askName()
		lost = null
		session.enter({ title: $('new-title').value.trim() || t('roomOf', { name: state.name }) })
		$('create-form').reset()
	},
	composer: composer.submit,
	'name-form'() {
		put($('name-error'), state.isOn ? '' : t('ended'))
		rename(wanted = $('name').value.trim().replace(/\s+/g, ' '))
	},
}
onclick = ({ target }) => changed(actions[target.closest('button')?.id]?.())
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
// An iPhone's keyboard lies over the page.
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
if (tab.session) session.restore(tab.session)
delete tab.session
const first = roomInAddress() || state.room?.id
if (first) go(first)
render()
