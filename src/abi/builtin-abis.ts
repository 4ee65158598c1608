// ABIs that are known by name. Signatures are those of the standards and of the deployed contracts.

/** Events, as people write them. */
export const builtinAbis = {
  // https://eips.ethereum.org/EIPS/eip-20
  erc20: [
    "Transfer(address indexed from, address indexed to, uint256 value)",
    "Approval(address indexed owner, address indexed spender, uint256 value)",
  ],
  // https://eips.ethereum.org/EIPS/eip-721
  erc721: [
    "Transfer(address indexed from, address indexed to, uint256 indexed tokenId)",
    "Approval(address indexed owner, address indexed approved, uint256 indexed tokenId)",
    "ApprovalForAll(address indexed owner, address indexed operator, bool approved)",
  ],
  // https://eips.ethereum.org/EIPS/eip-1155
  erc1155: [
    "TransferSingle(address indexed operator, address indexed from, address indexed to, uint256 id, uint256 value)",
    "TransferBatch(address indexed operator, address indexed from, address indexed to, uint256[] ids, uint256[] values)",
    "ApprovalForAll(address indexed owner, address indexed operator, bool approved)",
    "URI(string value, uint256 indexed id)",
  ],
  // https://eips.ethereum.org/EIPS/eip-4626
  erc4626: [
    "Deposit(address indexed sender, address indexed owner, uint256 assets, uint256 shares)",
    "Withdraw(address indexed sender, address indexed receiver, address indexed owner, uint256 assets, uint256 shares)",
  ],
  // https://github.com/gnosis/canonical-weth
  weth: [
    "Deposit(address indexed dst, uint256 wad)",
    "Withdrawal(address indexed src, uint256 wad)",
    "Transfer(address indexed src, address indexed dst, uint256 wad)",
    "Approval(address indexed src, address indexed guy, uint256 wad)",
  ],
  // https://github.com/Uniswap/v2-core
  uniswap_v2_factory: ["PairCreated(address indexed token0, address indexed token1, address pair, uint256)"],
  uniswap_v2_pair: [
    "Mint(address indexed sender, uint256 amount0, uint256 amount1)",
    "Burn(address indexed sender, uint256 amount0, uint256 amount1, address indexed to)",
    "Swap(address indexed sender, uint256 amount0In, uint256 amount1In, uint256 amount0Out, uint256 amount1Out, address indexed to)",
    "Sync(uint112 reserve0, uint112 reserve1)",
    "Transfer(address indexed from, address indexed to, uint256 value)",
    "Approval(address indexed owner, address indexed spender, uint256 value)",
  ],
  // https://github.com/Uniswap/v3-core
  uniswap_v3_factory: [
    "PoolCreated(address indexed token0, address indexed token1, uint24 indexed fee, int24 tickSpacing, address pool)",
    "OwnerChanged(address indexed oldOwner, address indexed newOwner)",
    "FeeAmountEnabled(uint24 indexed fee, int24 indexed tickSpacing)",
  ],
  uniswap_v3_pool: [
    "Initialize(uint160 sqrtPriceX96, int24 tick)",
    "Mint(address sender, address indexed owner, int24 indexed tickLower, int24 indexed tickUpper, uint128 amount, uint256 amount0, uint256 amount1)",
    "Collect(address indexed owner, address recipient, int24 indexed tickLower, int24 indexed tickUpper, uint128 amount0, uint128 amount1)",
    "Burn(address indexed owner, int24 indexed tickLower, int24 indexed tickUpper, uint128 amount, uint256 amount0, uint256 amount1)",
    "Swap(address indexed sender, address indexed recipient, int256 amount0, int256 amount1, uint160 sqrtPriceX96, uint128 liquidity, int24 tick)",
    "Flash(address indexed sender, address indexed recipient, uint256 amount0, uint256 amount1, uint256 paid0, uint256 paid1)",
    "IncreaseObservationCardinalityNext(uint16 observationCardinalityNextOld, uint16 observationCardinalityNextNew)",
    "SetFeeProtocol(uint8 feeProtocol0Old, uint8 feeProtocol1Old, uint8 feeProtocol0New, uint8 feeProtocol1New)",
    "CollectProtocol(address indexed sender, address indexed recipient, uint128 amount0, uint128 amount1)",
  ],
  // https://github.com/Uniswap/permit2
  permit2: [
    "NonceInvalidation(address indexed owner, address indexed token, address indexed spender, uint48 newNonce, uint48 oldNonce)",
    "Approval(address indexed owner, address indexed token, address indexed spender, uint160 amount, uint48 expiration)",
    "Permit(address indexed owner, address indexed token, address indexed spender, uint160 amount, uint48 expiration, uint48 nonce)",
    "Lockdown(address indexed owner, address token, address spender)",
    "UnorderedNonceInvalidation(address indexed owner, uint256 word, uint256 mask)",
  ],
} as const satisfies Record<string, readonly string[]>;

export type BuiltinAbi = keyof typeof builtinAbis;
