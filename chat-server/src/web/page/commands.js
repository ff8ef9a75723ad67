/** Parses the lines that a person types, as the terminal client does. */

export const COMMANDS = ['help', 'name', 'rooms', 'create', 'join', 'leave', 'shutdown', 'quit'];

/** What has to follow a command. */
const NEEDS = { name: /./, create: /./, join: /^0*[1-9]\d{0,14}$/ };

/**
 * @param {string} line
 * @returns {{kind: string, value: string}} `blank`, `chat` with the text, a command with what follows it, or `bad`
 *   with the key of the text that says why
 */
export function parse(line) {
	const text = line.trim();
	if (!/^[/／]/.test(text)) return { kind: text ? 'chat' : 'blank', value: line };
	if (/^.[/／]/.test(text)) return { kind: 'chat', value: text.slice(1) };
	const [word, ...words] = text.slice(1).split(/\s+/);
	const kind = word.toLowerCase();
	const value = words.join(' ');
	if (!COMMANDS.includes(kind)) return { kind: 'bad', value: 'unknown' };
	if (!(NEEDS[kind]?.test(value) ?? true)) return { kind: 'bad', value: `/${kind}` };
	return { kind, value };
}
