#!/usr/bin/env lua
-- SPDX-License-Identifier: MIT
-- Print the queue, then what changes in it.  Run it in a repository; needs LuaSocket and
-- lua-messagepack.
local mp, unix = require('MessagePack'), require('socket.unix')

-- Let tpctl see to it that an agent runs, ask it where, and go there.
local function connect(patient)
	local path
	repeat
		local tpctl =
			io.popen('tpctl call agent.sync >/dev/null && tpctl socket || sleep 1')
		path = tpctl:read('*l')
		tpctl:close()
		if not path and not patient then os.exit(1) end
	until path
	local agent = unix.stream()
	assert(agent:connect(path))
	return agent
end

local function ask(agent, number, method, params)
	agent:send(mp.pack({ 0, number, method, { params } }))
end

io.stdout:setvbuf('line')
local clock
while true do
	local agent = connect(clock)
	-- Some parameter there must be: an empty table would be packed as a list.
	ask(agent, 1, 'feed.subscribe', { since = clock, quiet = '5ms' })
	for _, message in mp.unpacker(function() return (agent:receive(1)) end) do
		local answer = message[1] == 1
		if answer and message[3] then error(message[3][2], 0) end
		local told = answer and message[4] or message[3][1]
		for _, row in ipairs(told.queue or {}) do
			print('queued ' .. row.id .. ' ' .. row.gate.verdict)
		end
		if told.fresh or not clock then ask(agent, 2, 'queue.list', { limit = 1000 }) end
		clock = told.to or told.clock
		for _, what in ipairs({ 'changed', 'removed', 'woken' }) do
			for _, name in ipairs(told[what] or {}) do
				print(what .. ' ' .. name)
			end
		end
	end
end
