/** The box in which one writes: Enter that is safe with input methods, and what was sent before. */
import { $, put } from './dom.js';

const box = $('say');
let sent = [];
let at = 0;
let wantsLine = false;
let take;

/** @param {(text: string) => string} handler takes a text, and says what is wrong with it */
export function start(handler) {
	take = handler;
	box.onkeydown = keydown;
	box.onbeforeinput = beforeInput;
	box.oninput = changed;
}

export const hint = (text) => put('hint', text);

/** Writes at the cursor. */
export function insert(text) {
	box.setRangeText(text, box.selectionStart, box.selectionEnd, 'end');
	box.focus();
	changed();
}

/** Sends what is in the box, where it stays if something is wrong with it. */
export function submit() {
	const complaint = take(box.value);
	if (complaint) return hint(complaint);
	if (box.value) sent = [...sent.slice(-50), box.value];
	at = sent.length;
	set('');
}

function set(text) {
	box.value = text;
	changed();
}

function changed() {
	hint('');
	box.style.height = 'auto';
	box.style.height = `${box.scrollHeight + 2}px`;
}

function keydown(event) {
	const { key, shiftKey } = event;
	wantsLine = key === 'Enter' && shiftKey;
	// An input method's own: Safari says so by 229 only.
	if (event.isComposing || event.keyCode === 229 || shiftKey) return;
	if (key === 'Enter') submit();
	else if (!(key === 'ArrowUp' && recall(-1) || key === 'ArrowDown' && recall(1))) return;
	event.preventDefault();
}

/** Some input methods end a syllable and pass the Enter on as nothing but the line break that it makes. */
function beforeInput(event) {
	if (event.inputType !== 'insertLineBreak' || event.isComposing || wantsLine) return;
	event.preventDefault();
	submit();
}

/** Brings back what was sent, unless something else is in the box. */
function recall(by) {
	if (box.value && box.value !== sent[at] || !(at + by in sent)) return false;
	set(sent[at += by]);
	return true;
}
