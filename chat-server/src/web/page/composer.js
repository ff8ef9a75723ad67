/** The box to write in. Its Enter is safe with input methods. */
import { $, put } from './dom.js'

const box = $('say')
let wantsLine = false
let take

export function start(handler) {
	take = handler
	box.onkeydown = keydown
	box.onbeforeinput = beforeInput
	box.oninput = changed
}

export const hint = (text) => put($('hint'), text)

export function insert(text) {
	box.setRangeText(text, box.selectionStart, box.selectionEnd, 'end')
	box.focus()
	changed()
}

export function submit() {
	const complaint = take(box.value)
	if (!complaint) box.value = ''
	changed()
	hint(complaint)
}

function changed() {
	hint('')
	box.style.height = 'auto'
	box.style.height = `${box.scrollHeight + 2}px`
}

function keydown(event) {
	const { key, shiftKey } = event
	wantsLine = shiftKey
	// An input method's own: Safari says so by 229 only.
	if (key !== 'Enter' || shiftKey || event.isComposing || event.keyCode === 229) return
	event.preventDefault()
	submit()
}

// Some input methods pass Enter on as nothing but its line break.
function beforeInput(event) {
	if (event.inputType !== 'insertLineBreak' || event.isComposing || wantsLine) return
	event.preventDefault()
	submit()
}
