import type { Rule } from "./rule.js";
import type { OwnEndpoint } from "./seen.js";
import { span } from "./wording.js";

export const endpointsDown: Rule = {
  priority: "err",
  look({ endpoints }, limit) {
    if (endpoints.length === 0) return undefined;
    const troubles = endpoints.map((each) => troubleOf(each, limit * 1_000));
    if (troubles.includes(null)) return null;
    const who = endpoints.length === 1 ? "The only endpoint is" : `All ${endpoints.length} endpoints are`;
    return `${who} down: ${troubles.slice(0, 5).join("; ")}. Nothing is lost, and work goes on by itself when one answers. blockmill start --check asks each one; another can be added to rpc.urls, then: systemctl reload blockmill@NAME.`;
  },
};

function troubleOf({ name, state, reason, silentMs }: OwnEndpoint, mostSilentMs: number): string | null {
  if (silentMs !== null && silentMs > mostSilentMs)
    return `${name} has not answered for ${span(silentMs / 1_000)}`;
  if (state === "up") return null;
  // Most reasons name their endpoint already.
  return reason === null ? `${name} is ${state}` : reason.startsWith(name) ? reason : `${name}: ${reason}`;
}
