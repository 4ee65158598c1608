// SPDX-License-Identifier: MIT
// The demo's tokens. contracts.ts holds what solc 0.8.x makes of this file (how: see there). They keep
// balances and emit the standards' events; they are no complete implementation of any standard.
pragma solidity ^0.8.28;

contract Coin {
    event Transfer(address indexed from, address indexed to, uint256 value);

    mapping(address => uint256) public balanceOf;

    constructor(address[] memory holders) {
        for (uint256 i = 0; i < holders.length; i++) {
            balanceOf[holders[i]] = 1e27;
            emit Transfer(address(0), holders[i], 1e27);
        }
    }

    function transfer(address to, uint256 value) external returns (bool) {
        balanceOf[msg.sender] -= value;
        balanceOf[to] += value;
        emit Transfer(msg.sender, to, value);
        return true;
    }
}

contract Deed {
    event Transfer(address indexed from, address indexed to, uint256 indexed tokenId);

    uint256 public count;
    mapping(uint256 => address) public ownerOf;

    function mint(address to) external {
        count++;
        ownerOf[count] = to;
        emit Transfer(address(0), to, count);
    }
}

contract Crate {
    event TransferSingle(
        address indexed operator, address indexed from, address indexed to, uint256 id, uint256 value
    );
    event TransferBatch(
        address indexed operator, address indexed from, address indexed to, uint256[] ids, uint256[] values
    );

    mapping(uint256 => mapping(address => uint256)) public balanceOf;

    function mint(address to, uint256 id, uint256 value) external {
        balanceOf[id][to] += value;
        emit TransferSingle(msg.sender, address(0), to, id, value);
    }

    function mintBatch(address to, uint256[] calldata ids, uint256[] calldata values) external {
        for (uint256 i = 0; i < ids.length; i++) balanceOf[ids[i]][to] += values[i];
        emit TransferBatch(msg.sender, address(0), to, ids, values);
    }
}
