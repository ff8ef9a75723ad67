/** Elements, and what others wrote made harmless: nothing of a peer's ever becomes markup. */

export const $ = (id) => document.getElementById(id)

export function el(tag, className, ...children) {
	const element = document.createElement(tag)
	element.className = className
	element.append(...children)
	return element
}

// A live region would say the same text again.
export function put(element, text) {
	if (element.textContent !== text) element.textContent = text
}

const HARMFUL = /[\0-\x08\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]/g

// Controls, and what directs the text after it, are shown by their numbers.
export const visible = (text) => text.replace(HARMFUL, (c) => `\\u{${c.charCodeAt(0).toString(16)}}`)

// Its colour is the same everywhere (FNV-1a). `bdi` keeps its direction to itself.
export function nameOf(name) {
	let hash = 0x811c9dc5
	for (const c of name) hash = Math.imul(hash ^ c.codePointAt(0), 0x01000193)
	const element = el('bdi', 'who', visible(name))
	element.style.setProperty('--hue', (hash >>> 8) % 18 * 20)
	return element
}

const ADDRESS = /https?:\/\/[^\s<>"`{}|\\^]+/gi
// Punctuation, or a Korean particle after a Latin letter. At most 9, or a hostile text takes a minute.
const AFTER = /([.,:;!?'’”…。、」』]|(?<=[\w/])([을를은는이가의로와과도만]|에서?|으로|예요|입니다)){1,9}$/

// A bracket is part of an address if it opens in it, too.
function trimmed(address, most = 9) {
	const url = address.replace(AFTER, '')
	const open = { ')': '(', ']': '[' }[url.at(-1)]
	return open && most && !url.includes(open) ? trimmed(url.slice(0, -1), most - 1) : url
}

export function linked(text) {
	const shown = visible(text)
	const nodes = []
	let from = 0
	for (const { 0: match, index } of shown.matchAll(ADDRESS)) {
		const url = trimmed(match)
		const link = Object.assign(el('a', '', url), { href: url, target: '_blank', rel: 'noopener noreferrer' })
		nodes.push(shown.slice(from, index), link)
		from = index + url.length
	}
	return [...nodes, shown.slice(from)]
}
