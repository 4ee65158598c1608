import { type AlertRuleName, alertRuleNames, type RuleSetting } from "../../config/alert-rules.js";
import { rules } from "./rules.js";
import type { Seen } from "./seen.js";

/** An alert that is open keeps a threshold that is easier to pass, so that a value beside it does not ring again and again. */
const stillShare = 0.9;
/** A message that only says how long it lasts is not written at every look. */
const rewriteMs = 30_000;

/** What is to be done about a rule. */
export type Verdict =
  | { name: AlertRuleName; kind: "raise" | "rewrite"; message: string }
  | { name: AlertRuleName; kind: "clear" };

interface State {
  /** Since when it is so, or is over, by the caller's clock; undefined: it is not. */
  badSince?: number | undefined;
  goodSince?: number | undefined;
  writtenAt?: number;
}

/**
 * Judges by the rules what is seen: raises what has been so for its time, and clears what has been over for its time.
 * `open`: the alerts that are open, whoever raised them.
 */
export function createEvaluation(
  settings: Readonly<Record<AlertRuleName, RuleSetting>>,
): (seen: Seen, open: ReadonlyMap<string, string>, nowMs: number) => Verdict[] {
  const states = new Map<AlertRuleName, State>();

  const judge = (
    name: AlertRuleName,
    seen: Seen,
    openMessage: string | undefined,
    nowMs: number,
  ): Verdict | null => {
    const { look, firesBelow = false } = rules[name];
    const { isOff, threshold, forMs, clearMs } = settings[name];
    const isOpen = openMessage !== undefined;
    if (isOff) return isOpen ? { name, kind: "clear" } : null;
    if (look === undefined) return null;
    const state = states.get(name) ?? {};
    states.set(name, state);
    const still = firesBelow ? threshold / stillShare : threshold * stillShare;
    const message = look(seen, isOpen ? still : threshold);
    if (message === undefined) return null;
    if (message === null) {
      state.badSince = undefined;
      state.goodSince ??= nowMs;
      return isOpen && nowMs - state.goodSince >= clearMs ? { name, kind: "clear" } : null;
    }
    state.goodSince = undefined;
    state.badSince ??= nowMs;
    if (!isOpen) {
      if (nowMs - state.badSince < forMs) return null;
      state.writtenAt = nowMs;
      return { name, kind: "raise", message };
    }
    if (message === openMessage || nowMs - (state.writtenAt ?? Number.NEGATIVE_INFINITY) < rewriteMs)
      return null;
    state.writtenAt = nowMs;
    return { name, kind: "rewrite", message };
  };

  return (seen, open, nowMs) =>
    alertRuleNames.flatMap((name) => judge(name, seen, open.get(name), nowMs) ?? []);
}
