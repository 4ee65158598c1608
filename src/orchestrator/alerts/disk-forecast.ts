import { count } from "../../wording.js";
import type { Rule } from "./rule.js";

export const diskForecast: Rule = {
  priority: "warning",
  firesBelow: true,
  look({ disk }, limit) {
    if (disk === undefined) return undefined;
    const { bytes, capacity, bytesPerDay } = disk;
    if (capacity === null || bytesPerDay === null || bytesPerDay <= 0) return null;
    const days = Math.max(0, capacity - bytes) / bytesPerDay;
    if (days >= limit) return null;
    const gigabytes = (value: number): string => `${count(Math.round(value / 1e8) / 10)} GB`;
    return `The disk is full in ${days < 2 ? `${Math.floor(days * 24)} hours` : `${Math.floor(days)} days`}: the database has ${gigabytes(bytes)} of ${gigabytes(capacity)}, and grows by ${gigabytes(bytesPerDay)} a day. blockmill disk shows which tables; make room, or move the database.`;
  },
};
