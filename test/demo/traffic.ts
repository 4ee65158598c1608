import { type Address, encodeFunctionData, type Hex, toHex } from "viem";
import type { HDAccount } from "viem/accounts";
import { coin, crate, deed } from "./contracts.js";

/** Where the tokens are. */
export interface Tokens {
  coin: Address;
  deed: Address;
  crate: Address;
}

/** For eth_sendTransaction: the fields as JSON-RPC wants them. */
export interface TransactionRequest {
  from: Address;
  to?: Address;
  gas: Hex;
  [field: string]: unknown;
}

interface Place {
  tokens: Tokens;
  accounts: HDAccount[];
}

const gwei = 1_000_000_000n;
const legacy = { type: "0x0", gasPrice: toHex(20n * gwei) };
const feeMarket = { maxFeePerGas: toHex(20n * gwei), maxPriorityFeePerGas: toHex(gwei) };

/**
 * The transactions of a block, by its number alone: transfers of ether and of three kinds of tokens, in
 * transactions of the types 0, 1, 2 and 4, one of which now and then reverts. Each comes from an account
 * of its own, so that the order in which they arrive does not matter.
 *
 * There is none of type 3: anvil 1.7.1 puts blob transactions into the transactions' root together with
 * their blobs (foundry issue 15132), so that a block with one cannot be proven.
 */
export async function trafficOf(block: number, place: Place): Promise<TransactionRequest[]> {
  const { tokens, accounts } = place;
  const account = (index: number): Address => accounts[index % accounts.length]?.address ?? "0x";
  const someone = account(block);
  const value = BigInt(block) * 10n ** 15n;

  const ether = { from: account(0), to: someone, value: toHex(value), gas: toHex(50_000), ...legacy };
  const frugal = {
    ...call(account(1), tokens.coin, coinTransfer(someone, value)),
    type: "0x1",
    gasPrice: toHex(20n * gwei),
    accessList: [{ address: tokens.coin, storageKeys: [`0x${"00".repeat(32)}`] }],
  };
  const coins = Array.from({ length: 1 + (block % 5) }, (_, i) => ({
    ...call(account(2 + i), tokens.coin, coinTransfer(account(block + i), value + BigInt(i))),
    type: "0x2",
    ...feeMarket,
  }));
  const requests: TransactionRequest[] = [ether, frugal, ...coins];
  requests.push({ ...call(account(8), tokens.deed, mintDeed(someone)), type: "0x2", ...feeMarket });
  requests.push({ ...call(account(9), tokens.crate, fillCrate(block, someone)), type: "0x2", ...feeMarket });
  if (block % 4 === 0) requests.push(await delegation(block / 4, place));
  if (block % 7 === 0) {
    // More than anybody has.
    requests.push({ ...call(account(10), tokens.coin, coinTransfer(someone, 10n ** 30n)), ...legacy });
  }
  return requests;
}

function call(from: Address, to: Address, data: Hex): TransactionRequest {
  return { from, to, data, gas: toHex(400_000) };
}

function coinTransfer(to: Address, value: bigint): Hex {
  return encodeFunctionData({ abi: coin.abi, functionName: "transfer", args: [to, value] });
}

function mintDeed(to: Address): Hex {
  return encodeFunctionData({ abi: deed.abi, functionName: "mint", args: [to] });
}

/** One kind of goods in every other block, several at once in the others. */
function fillCrate(block: number, to: Address): Hex {
  const id = BigInt(block % 10);
  if (block % 2 === 0) {
    return encodeFunctionData({ abi: crate.abi, functionName: "mint", args: [to, id, BigInt(block)] });
  }
  const ids = [id, id + 1n, id + 2n];
  const values = ids.map((each) => each * 100n + 1n);
  return encodeFunctionData({ abi: crate.abi, functionName: "mintBatch", args: [to, ids, values] });
}

/** Type 4 (EIP-7702): the last account lets the coin's code speak for it, for the n-th time. */
async function delegation(n: number, { tokens, accounts }: Place): Promise<TransactionRequest> {
  const [sender, authority] = accounts.slice(-2);
  if (sender === undefined || authority?.signAuthorization === undefined) throw new Error("too few accounts");
  const signed = await authority.signAuthorization({
    contractAddress: tokens.coin,
    chainId: 31_337,
    // The authority sends nothing itself: each delegation before this one used up a nonce.
    nonce: n - 1,
  });
  const { address, r, s, yParity = 0 } = signed;
  const authorization = {
    chainId: toHex(signed.chainId),
    address,
    nonce: toHex(signed.nonce),
    yParity: toHex(yParity),
    r,
    s,
  };
  return {
    ...call(sender.address, tokens.coin, coinTransfer(authority.address, 1n)),
    type: "0x4",
    ...feeMarket,
    authorizationList: [authorization],
  };
}
