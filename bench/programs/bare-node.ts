import { Agent, request } from "node:http";

/** A block and its receipts, as the node's JSON says. */
export interface RawBlock {
  block: Raw & { transactions: Raw[]; withdrawals?: Raw[] };
  receipts: (Raw & { logs: Raw[] })[];
}

/** A JSON-RPC object. What is not there is null or undefined. */
export type Raw = Record<string, string & string[]>;

/** Fetches a block and its receipts, one call after the other's sending, over kept connections. */
export function createBareNode(url: string) {
  const agent = new Agent({ keepAlive: true });
  const call = async (method: string, params: unknown[]): Promise<unknown> => {
    const text = await post(url, agent, JSON.stringify({ jsonrpc: "2.0", id: 1, method, params }));
    return (JSON.parse(text) as { result: unknown }).result;
  };
  /** `which`: a number in hex, or a hash. */
  return async (which: string): Promise<RawBlock> => {
    const byHash = which.length === 66;
    const [block, receipts] = await Promise.all([
      call(byHash ? "eth_getBlockByHash" : "eth_getBlockByNumber", [which, true]),
      call("eth_getBlockReceipts", [which]),
    ]);
    return { block, receipts } as RawBlock;
  };
}

function post(url: string, agent: Agent, body: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const outgoing = request(
      url,
      { method: "POST", agent, headers: { "content-type": "application/json" } },
      (response) => {
        const chunks: Buffer[] = [];
        response.on("data", (chunk: Buffer) => chunks.push(chunk));
        response.on("end", () => resolve(Buffer.concat(chunks).toString()));
        response.on("error", reject);
      },
    );
    outgoing.on("error", reject);
    outgoing.end(body);
  });
}
