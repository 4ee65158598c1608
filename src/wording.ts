// How counts, spans and long texts are written for people.

const counts = new Intl.NumberFormat("en-US");

/** 1,234,567 */
export function count(value: number): string {
  return counts.format(value);
}

/** `1 job`, `2 jobs`; every message that tells a number of things is made by it. */
export function plural(value: number, noun: string): string {
  return `${count(value)} ${noun}${value === 1 ? "" : "s"}`;
}

/** `a worker`, `an orchestrator`. */
export function an(noun: string): string {
  return `${/^[aeiou]/.test(noun) ? "an" : "a"} ${noun}`;
}

/** Per second: `0.25`, `8.1`, `1,240`. */
export function rate(perSecond: number): string {
  if (perSecond >= 100) return count(Math.round(perSecond));
  return perSecond.toFixed(perSecond >= 10 || perSecond === 0 ? 1 : 2);
}

/** A span of seconds in at most two units: `0.4 s`, `38 s`, `2 min 5 s`, `3 h 10 min`, `4 d 2 h`. */
export function span(seconds: number): string {
  if (seconds < 10) return `${Math.max(0, seconds).toFixed(1)} s`;
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole} s`;
  if (whole < 3_600) return `${Math.floor(whole / 60)} min ${whole % 60} s`;
  if (whole < 86_400) return `${Math.floor(whole / 3_600)} h ${Math.floor((whole % 3_600) / 60)} min`;
  return `${count(Math.floor(whole / 86_400))} d ${Math.floor((whole % 86_400) / 3_600)} h`;
}

/** Seconds in one whole unit, so that a text that is shown does not change each time: `85 s`, `12 min`, `5 h`, `3 days`. */
export function wholeSpan(seconds: number): string {
  if (seconds < 120) return `${Math.max(0, Math.round(seconds))} s`;
  if (seconds < 7_200) return `${Math.floor(seconds / 60)} min`;
  if (seconds < 172_800) return `${Math.floor(seconds / 3_600)} h`;
  return `${count(Math.floor(seconds / 86_400))} days`;
}

/** At most `length` characters, on one line. */
export function shorten(text: string, length: number): string {
  const line = text.replace(/\s+/g, " ").trim();
  return line.length > length ? `${line.slice(0, length - 1)}…` : line;
}

/** The words of a text in lines of at most `width` characters; a longer word has a line of its own. */
export function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(/\s+/)) {
    if (line !== "" && line.length + 1 + word.length > width) {
      lines.push(line);
      line = word;
    } else line = line === "" ? word : `${line} ${word}`;
  }
  return [...lines, line];
}

/** `950 B`, `1.2 GB`: decimal, as disks are sold. */
export function byteSize(bytes: number): string {
  const units = ["B", "kB", "MB", "GB", "TB", "PB"];
  let value = bytes;
  let unit = 0;
  while (value >= 1_000 && unit < units.length - 1) {
    value /= 1_000;
    unit += 1;
  }
  return `${value >= 100 || unit === 0 ? Math.round(value) : value.toFixed(1)} ${units[unit]}`;
}
