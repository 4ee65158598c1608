/** The line of a character offset, counted from 1. */
export function lineOfOffset(text: string, offset: number): number {
  return text.slice(0, offset).split("\n").length;
}

/** `file:line` of a key in a JSON text, found by looking for each part of its path behind the one before. */
export function describePlace(file: string, text: string, path: string[]): string {
  let offset = 0;
  for (const part of path) {
    const found = text.indexOf(JSON.stringify(part), offset);
    if (found === -1) return file;
    offset = found + 1;
  }
  return `${file}:${lineOfOffset(text, offset)}`;
}
