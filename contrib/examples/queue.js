#!/usr/bin/env node
// SPDX-License-Identifier: MIT
// Print the queue, then what changes in it.  Run it in a repository; needs @msgpack/msgpack.
const { execFileSync, spawnSync } = require("node:child_process");
const { setTimeout: pause } = require("node:timers/promises");
const net = require("node:net");
const { encode, decodeMultiStream } = require("@msgpack/msgpack");

// Let tpctl see to it that an agent runs, ask it where, and go there.
async function connect(patient) {
	const stdio = ["ignore", "ignore", "inherit"];
	while (spawnSync("tpctl", ["call", "agent.sync"], { stdio }).status !== 0) {
		if (!patient) process.exit(1);
		await pause(1000);
	}
	return net.connect(execFileSync("tpctl", ["socket"], { encoding: "utf8" }).trim());
}

function ask(agent, number, method, params) {
	agent.write(encode([0, number, method, [params]]));
}

async function follow(agent, clock) {
	ask(agent, 1, "feed.subscribe", clock ? { since: clock } : {});
	for await (const [kind, ...rest] of decodeMultiStream(agent)) {
		if (kind === 1 && rest[1]) throw new Error(rest[1][1]);
		const told = kind === 1 ? rest[2] : rest[1][0];
		for (const row of told.queue ?? []) console.log("queued", row.id, row.gate.verdict);
		if (told.fresh || !clock) ask(agent, 2, "queue.list", { limit: 1000 });
		clock = told.to ?? told.clock;
		for (const what of ["changed", "removed", "woken"])
			for (const name of told[what] ?? []) console.log(what, name);
	}
	return clock;
}

(async () => {
	for (let clock; ; ) clock = await follow(await connect(clock), clock);
})();
