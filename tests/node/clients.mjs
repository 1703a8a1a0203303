// SPDX-License-Identifier: MIT
//
// clients.mjs OLD|NEW|AUTO TPCTL DIR: list the tools by an official client, call each, and
// say in TAP what came.  OLD is the client of 2025, NEW that of 2026 as it comes, AUTO the
// same when it may look for the stateless protocol.
const [which, tpctl, dir] = process.argv.slice(2);
const old = which === "OLD";

const { Client } = await import(old ? "@modelcontextprotocol/sdk/client/index.js"
	: "@modelcontextprotocol/client");
const { StdioClientTransport } = await import(old ? "@modelcontextprotocol/sdk/client/stdio.js"
	: "@modelcontextprotocol/client/stdio");

// What each tool is called with; what is not here is called with nothing and shall refuse.
const given = {
	queue: {}, brief: { max_bytes: 2000 }, doctor: {}, records: { limit: 5 },
	check: { ticket: "search-page" }, why: { ticket: "search-page" }, show: { ticket: "search-page" },
	wait: { ticket: "fetch-retry", until: "clear", timeout: "5s" },
	claim: { ticket: ["image-cache"], role: "coder" }, release: { ticket: ["image-cache"] },
	record: { ticket: "fetch-retry", kind: "related", other: "image-cache", message: "Both fetch." },
	accept: { ticket: "print-view", message: "A style sheet." },
};

let failed = 0;
function say(good, sentence, what) {
	if (!good) failed++;
	console.log(`${good ? "ok" : "not ok"} ${which}: ${sentence}`);
	if (!good && what !== undefined) console.log("# " + JSON.stringify(what).slice(0, 600));
}

const client = new Client({ name: "check", version: "1" },
	which === "AUTO" ? { versionNegotiation: { mode: "auto" } } : {});
await client.connect(new StdioClientTransport({ command: tpctl, args: ["mcp"], cwd: dir,
	env: process.env, stderr: "inherit" }));
const { tools } = await client.listTools();
say(tools.length >= 10, `${tools.length} tools are listed`, tools);
for (const tool of tools) {
	const args = given[tool.name];
	const result = await client.callTool({ name: tool.name, arguments: args ?? {} });
	if (args)
		say(!result.isError && result.structuredContent?.schema === 1 &&
			JSON.stringify(result.structuredContent) === result.content[0].text,
		`${tool.name} answers`, result);
	else
		say(result.isError && JSON.parse(result.content[0].text).error.hint,
			`${tool.name} refuses, and says what to do`, result);
}
let refused = false;
try {
	const answer = await client.callTool({ name: "nonsense", arguments: {} });
	refused = answer.isError === true;
} catch (why) {
	refused = why.code === -32602;
}
say(refused, "an unknown tool is an error");
await client.close();
process.exit(failed ? 1 : 0);
