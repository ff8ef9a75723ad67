/** Parses the lines that a person types, as the terminal client does. */

// The commands, and what has to follow them.
const COMMANDS = {
	help: /^/, name: /./, rooms: /^/, create: /./, join: /^0*[1-9]\d{0,14}$/, leave: /^$/, shutdown: /^$/, quit: /^$/,
}

// Returns a kind and a value: `chat` and the text, a command and its rest, or `bad` and the command.
export function parse(line) {
	const text = line.trim()
	if (!/^[/／]/.test(text)) return { kind: 'chat', value: line }
	if (/^.[/／]/.test(text)) return { kind: 'chat', value: text.slice(1) }
	const [word, ...words] = text.slice(1).split(/\s+/)
	const kind = word.toLowerCase()
	const value = words.join(' ')
	const isRight = Object.hasOwn(COMMANDS, kind) && COMMANDS[kind].test(value)
	return isRight ? { kind, value } : { kind: 'bad', value: `/${kind}` }
}
