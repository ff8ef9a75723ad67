/** The WebSocket, and the attempts to have one again. */

const FIRST_WAIT = 500, LONGEST_WAIT = 30_000

let socket, on
let timer = 0, attempts = 0

// `closed` says whether to try again.
export function start(handlers) {
	on = handlers
	connect()
}

export function connect() {
	clearTimeout(timer)
	if (socket) return
	socket = new WebSocket(`${location.origin.replace('http', 'ws')}/ws`)
	socket.onopen = on.opened
	socket.onmessage = ({ data }) => on.received(JSON.parse(data))
	socket.onclose = drop
}

// The next attempt need not wait long.
export const served = () => attempts = 0
export const send = (message) => socket.send(JSON.stringify(message))

export function drop() {
	if (!socket) return
	socket.onopen = socket.onmessage = socket.onclose = null
	socket.close()
	socket = null
	if (!on.closed()) return
	// Half of the longest wait to all of it, so that not all come back at once.
	const longest = Math.min(LONGEST_WAIT, FIRST_WAIT * 2 ** attempts++)
	timer = setTimeout(connect, longest * (1 + Math.random()) / 2)
}
