import { createConfig } from "ponder";
import { parseAbi } from "viem";

const range = { startBlock: Number(process.env.BENCH_FROM), endBlock: Number(process.env.BENCH_TO) };

export default createConfig({
  database: { kind: "postgres", connectionString: process.env.DATABASE_URL },
  chains: { node: { id: 1, rpc: process.env.BENCH_NODE_URL, maxRequestsPerSecond: 10_000 } },
  blocks: { Every: { chain: "node", interval: 1, ...range } },
  contracts: {
    // No address: every contract that emits one of these.
    Any: {
      chain: "node",
      includeTransactionReceipts: true,
      abi: parseAbi([
        "event Transfer(address indexed from, address indexed to, uint256 value)",
        "event Approval(address indexed owner, address indexed spender, uint256 value)",
        "event Swap(address indexed sender, uint256 amount0In, uint256 amount1In, uint256 amount0Out, uint256 amount1Out, address indexed to)",
        "event Sync(uint112 reserve0, uint112 reserve1)",
        "event TransferSingle(address indexed operator, address indexed from, address indexed to, uint256 id, uint256 value)",
        "event TransferBatch(address indexed operator, address indexed from, address indexed to, uint256[] ids, uint256[] values)",
        "event Updated(bytes32 indexed key, uint256 value)",
      ]),
      ...range,
    },
  },
});
