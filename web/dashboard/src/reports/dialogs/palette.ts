export interface Command {
  title: string;
  key: string; // that does the same; "": none
  run: () => void;
}

// Commands whose title has all words; those that begin with the text come first.
export function matching(commands: readonly Command[], text: string): Command[] {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  const found = commands.filter((command) => words.every((word) => command.title.toLowerCase().includes(word)));
  const begins = (command: Command) => (words[0] && command.title.toLowerCase().startsWith(words[0]) ? 0 : 1);
  return found.map((command, index) => ({ command, index })).sort((a, b) => begins(a.command) - begins(b.command) || a.index - b.index).map((each) => each.command); // prettier-ignore
}
