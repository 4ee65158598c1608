// What a refusal means: one table for all that nodes, providers and proxies say instead of an answer. The refusals
// that were seen in the wild, and what each must be taken for, are in test/chain/refusals/.

/**
 * What a refusal concerns, and so what follows:
 *
 * - the endpoint: `slow-down` (it asks for less), `unavailable` (it cannot serve, or not us). Another endpoint is
 *   asked, or it is waited for; no attempt is lost.
 * - the request: `lacking` (no such method, tag or parameter), `request` (not like that), `too-large` (the batch, or
 *   the answer). The same is asked for in another way.
 * - what is asked for: `pruned` (not kept there any more: another endpoint), `absent` (not there yet: later),
 *   `no-block` (the chain has none at this height), `block` (this block cannot be served there: counts an attempt).
 * - `unclear`: it is one of `unavailable` and `block`, and a look at whether eth_chainId works tells which.
 */
export type RefusalClass =
  | "slow-down"
  | "unavailable"
  | "lacking"
  | "request"
  | "too-large"
  | "pruned"
  | "absent"
  | "no-block"
  | "block"
  | "unclear";

export interface Refusal {
  /** Of the HTTP response; undefined: none came, or it was a WebSocket. */
  status?: number | undefined;
  /** Of the JSON-RPC error; undefined: the body is not a JSON-RPC answer. */
  code?: number | undefined;
  /** The JSON-RPC error's message, with its `data` where that is text; without one, how the body begins. */
  text: string;
  /** The method that was called. */
  method: string;
  isBatch?: boolean;
  /** Whether the endpoint answers eth_chainId, and tells its head; undefined: it was not asked yet. */
  chainIdWorks?: boolean | undefined;
}

/** A row holds when every column that it has does. */
interface Row {
  is: RefusalClass;
  says?: RegExp;
  codes?: readonly number[];
  /** The lowest and the highest HTTP status. */
  status?: readonly [number, number];
  /** The methods that are asked for. */
  asks?: RegExp;
  isBatch?: boolean;
  /** Whether the body is a JSON-RPC error. */
  isJsonRpc?: boolean;
  chainIdWorks?: boolean;
}

const aboutBlocks = /^eth_get(Block|TransactionReceipt|Header)/;

/** The first row that holds decides. What is said comes before the code, and the body before the HTTP status. */
const TABLE: readonly Row[] = [
  // The batch, or the answer, is larger than the server likes.
  {
    is: "too-large",
    says: /\bbatch(es|ed|ing)?\b.*(limit|larg|big|exceed|size|more than|not (allowed|supported|enabled)|disabled)|too many (rpc )?(calls|requests|items) in (a |the )?batch|number of requests exceeds|batch size|(request|payload)( body| entity)? (is )?too (large|big)/i,
  },
  {
    is: "too-large",
    says: /respon[sc]e( body| size)?( is)? too (large|big)|respon[sc]e( body| size)? (exceed|should not|limit)|exceed(ed|s) max(imum)? (limit|respon|size)|returned more than|memory capacity exceeded/i,
  },

  // The chain has no block at this height.
  { is: "no-block", isJsonRpc: true, says: /null round/i },

  // What it has thrown away, or never had.
  { is: "pruned", codes: [4444] },
  {
    is: "pruned",
    isJsonRpc: true,
    says: /prun(ed|ing)|missing trie node|no state available|histor(y|ical)\b.*\b(not|un) ?available|history (is )?(expired|not kept)|data before .* (is )?not available|\barchiv(e|al)\b|receipts? (is |are )?not available|before (the )?(earliest|first|snapshot|sync)|(state|block) .*\bis not available, not found|lowest available|earliest available/i,
  },

  // No such method, or none for us; a tag that is not known.
  { is: "lacking", codes: [-32601, -32604] },
  {
    is: "lacking",
    isJsonRpc: true,
    says: /\b(method|module|namespace|tag|eth_\w+)\b.*\b(not (been )?(found|supported|available|exist|enabled|allowed|whitelisted|implemented|permitted)|does ?n.t exist|does not exist|unsupported|disabled|unknown|restricted|blocked)|(unsupported|unknown|unrecognized) (method|block tag|tag|rpc)|not (yet )?(whitelisted|implemented)|method .*\bnot included/i,
  },
  { is: "lacking", codes: [-32004], says: /not supported|unsupported/i },

  // It asks for less.
  {
    is: "slow-down",
    says: /rate.?limit|too many (requests|connections)|(\/ ?s(ec(ond)?)?|per (second|minute)|\brps)\b|compute units|throttl|slow down|\breduce\b.*\b(calls|rate|requests)|backing off/i,
  },

  // No right to it: keys, plans, quotas.
  {
    is: "unavailable",
    says: /\b(monthly|billing|payment|subscription|upgrade|quota|api.?key|access.?key|access token|project id|app id)\b|free.?tier|unauthori[sz]ed|authenticat|\binactive\b|not allowed to access|forbidden|no longer allowed|suspended|blocked|access denied|permission|origin (is )?not allowed|invalid host/i,
  },
  { is: "slow-down", codes: [429, -32005, -32029, -32090, -32097, -32016, -32605] },
  {
    is: "slow-down",
    says: /\brequests? (count |limit|quota)|\blimit(s|ed)?\b.*(reached|exceeded|hit)|(reached|exceeded|over|hit) .*\b(limit|capacity)|over capacity|credits? limited|capacity exceeded/i,
  },

  // What is asked for is not there: most say so long before it could be gone.
  { is: "absent", asks: aboutBlocks, codes: [-39001, -32019] },
  {
    is: "absent",
    asks: aboutBlocks,
    isJsonRpc: true,
    says: /unfinalized|after last accepted|unknown (block|header|transaction)|\b(block|header|receipts?|transaction|tipset|epoch|resource|result|hash|height|data|entity)s?\b.*\b(not (yet )?(be(en)? )?(found|available|known|exist|indexed|mined|produced|ready|imported|executed|processed)|does ?n.t exist|does not exist|unavailable|is missing|out of range|in the future|too (high|new))|^(requested |resource )*not found\.?$|no (such )?block|must be less than or equal|invalid block height|expect block number|(higher|greater|larger|newer|ahead|beyond|above) (than )?(of )?(the )?(current|latest|newest|head|last|chain|known)|future block|indexing (is )?in progress|still (being )?index(ed|ing)|could not find (block|header|receipt|transaction)|failed to (find|get|load) (the )?(block|header)\b/i,
  },

  // It cannot serve now.
  {
    is: "unavailable",
    says: /unable to (complete|process|handle|serve)|temporar|try again|\bretry\b|overload|too much load|\bbusy\b|no (available |healthy |live |active |working )*(back.?ends?|servers?|upstreams?|nodes?|peers?|providers?|endpoints?|rpcs?)\b|not (currently )?healthy|unhealthy|off.?line|unavailable|bad gateway|gateway time|upstream|maintenance|timed?[ -]?out|deadline exceeded|connection (refused|reset|closed|error)|cancell?ed|disconnected|\bsync(ing|hroni[sz]ing)\b|sync (is )?(still )?in progress|not (yet )?(fully )?(in )?sync|starting|shutting down|back.?end returned|cannot fulfill|network error|econn|socket hang up|\beof\b|historical backend error|not reachable|unreachable/i,
  },

  // It was asked in a way that it does not take.
  { is: "request", codes: [-32600, -32602, -32700, -32004] },
  {
    is: "request",
    isJsonRpc: true,
    says: /invalid (params?|parameters?|arguments?|request|block (number|tag|identifier))|missing .*\b(param|argument)|hex (number|string)|cannot unmarshal|wrong json-?rpc|parse error/i,
  },

  // Nothing was said that tells: the HTTP status does.
  { is: "slow-down", status: [429, 429] },
  { is: "too-large", status: [413, 413] },
  { is: "unavailable", status: [401, 403] },
  { is: "too-large", status: [400, 499], isJsonRpc: false, isBatch: true },
  { is: "unavailable", status: [300, 599], isJsonRpc: false },
  // A page, a text, or nothing, with a status that says that all is well.
  { is: "unavailable", isJsonRpc: false, says: /^\s*([^{[\s]|$)/ },

  // Whatever it was: does the endpoint do anything at all?
  { is: "unavailable", chainIdWorks: false },
  { is: "block", chainIdWorks: true },
];

/** What a refusal means. */
export function classifyRefusal(refusal: Refusal): RefusalClass {
  return TABLE.find((row) => holds(row, refusal))?.is ?? "unclear";
}

function holds(row: Row, { status, code, text, method, isBatch = false, chainIdWorks }: Refusal): boolean {
  return (
    (row.says === undefined || row.says.test(text)) &&
    (row.codes === undefined || (code !== undefined && row.codes.includes(code))) &&
    (row.status === undefined ||
      (status !== undefined && status >= row.status[0] && status <= row.status[1])) &&
    (row.asks === undefined || row.asks.test(method)) &&
    (row.isBatch === undefined || row.isBatch === isBatch) &&
    (row.isJsonRpc === undefined || row.isJsonRpc === (code !== undefined)) &&
    (row.chainIdWorks === undefined || row.chainIdWorks === chainIdWorks)
  );
}
