import type { Member } from "./member.js";

/** How much more an endpoint's work costs that is slower than the fastest one, at most. */
const maxSlowness = 4;
/** Endpoints that answer within this, or within so many times what the fastest takes, are equally fast. */
const sameSpeed = { ms: 10, times: 1.5 };

export interface Choice {
  /** Members that are not to be chosen. */
  asked: ReadonlySet<Member>;
  /** The block that is wanted. */
  block?: number | undefined;
}

/**
 * The member that work goes to next; undefined: nobody is open. Those that may not have the block, or
 * that have no room, come last. Among the others each gets work by its weight, less if it is slow or
 * busy: a member's account is charged with every piece, and the lowest account is next.
 */
export function choose(members: readonly Member[], { asked, block }: Choice): Member | undefined {
  const open = members.filter((each) => each.isOpen && !asked.has(each) && !each.isPruned(block));
  const [first, ...others] = open;
  if (first === undefined) return undefined;
  const chosen = others.reduce((best, each) => (isBefore(each, best, block) ? each : best), first);
  charge(chosen, open);
  return chosen;
}

/** Another member that has nothing to do at the moment, for a second try beside a slow first one. */
export function chooseIdle(members: readonly Member[], choice: Choice): Member | undefined {
  const idle = members.filter(({ health, endpoint }) => {
    const { inFlight, waiting, limit } = endpoint.load;
    // One that was never in trouble will do before it is probed; one that comes back from a rest will not.
    const isHealthy = health.proven || health.reason === null;
    return isHealthy && waiting === 0 && inFlight <= limit / 2;
  });
  return choose(
    idle.filter((each) => each.mayHave(choice.block)),
    choice,
  );
}

function isBefore(a: Member, b: Member, block: number | undefined): boolean {
  const rank = rankOf(a, block) - rankOf(b, block);
  return rank === 0 ? a.charged < b.charged : rank < 0;
}

function rankOf(member: Member, block: number | undefined): number {
  const { inFlight, waiting, limit } = member.endpoint.load;
  return (member.mayHave(block) ? 0 : 2) + (inFlight + waiting >= limit ? 1 : 0);
}

function charge(chosen: Member, open: readonly Member[]): void {
  // Who comes back from a rest does not catch up on what it missed.
  const lowest = Math.min(...open.map(({ charged }) => charged));
  const highest = Math.max(...open.map(({ charged }) => charged));
  const { endpoint } = chosen;
  const price = ((1 + endpoint.load.inFlight) * slownessOf(chosen, open)) / endpoint.weight;
  chosen.charged = Math.max(chosen.charged, lowest) + price;
  for (const each of open) each.charged = Math.max(each.charged, highest - 10 * price);
}

function slownessOf(member: Member, open: readonly Member[]): number {
  const own = member.endpoint.load.latencyMs;
  const known = open.flatMap(({ endpoint }) => endpoint.load.latencyMs ?? []);
  if (own === undefined || known.length === 0) return 1;
  return Math.min(
    maxSlowness,
    Math.max(1, own / Math.max(sameSpeed.ms, Math.min(...known) * sameSpeed.times)),
  );
}
