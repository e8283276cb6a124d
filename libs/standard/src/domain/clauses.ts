/** A numbered clause as the standard's Markdown writes it: `**C-1.1** …`; ids stay the same in every version. */
const CLAUSE = /^\*\*(C-\d+\.\d+)\*\* +(.+(?:\n(?!\*\*C-|#|\n).*)*)/gm;

/** Clause ids and their texts, in order. */
export function clausesOf(markdown: string): { id: string; text: string }[] {
  return [...markdown.matchAll(CLAUSE)].map((match) => ({ id: match[1]!, text: match[2]! }));
}
