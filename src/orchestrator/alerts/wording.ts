import { count } from "../../wording.js";

/** Seconds in one whole unit, so that an alert's message does not change each time: `85 s`, `12 min`, `5 h`, `3 days`. */
export function span(seconds: number): string {
  if (seconds < 120) return `${Math.round(seconds)} s`;
  if (seconds < 7_200) return `${Math.floor(seconds / 60)} min`;
  if (seconds < 172_800) return `${Math.floor(seconds / 3_600)} h`;
  return `${count(Math.floor(seconds / 86_400))} days`;
}
