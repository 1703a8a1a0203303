-- SPDX-License-Identifier: MIT
-- A line of :Tp, completed.
local complete, ticket = require('ticketplan.complete'), require('ticketplan.ticket')

local function ids_of(agent, base)
	return vim.tbl_map(function(item) return item.word end, complete.match_tickets(agent, base))
end

-- Records that concern the Ticket of the buffer.
local function own(agent, buf)
	local id = ticket.of_buffer(buf)
	local answer = id and agent:ask('ticket.get', { ticket = id })
	if not answer then return {} end
	local all = vim.list_extend(answer.ticket.outgoing, answer.ticket.incoming)
	return vim.tbl_map(function(one) return one.id end, all)
end

-- Kinds as they are typed, with the short names of two.
local function kinds(agent)
	local short = { waiting_capacity_note = 'waiting', accepted_plan = 'accepted' }
	return vim.tbl_map(
		function(kind) return short[kind] or (kind:gsub('_', '-')) end,
		complete.kinds(agent)
	)
end

local function begins(words, base)
	return vim.tbl_filter(function(word) return vim.startswith(word, base) end, words)
end

-- Where a word stands among those a command takes: `record` may leave its Ticket out.
local function place_of(agent, words)
	local at = #words
	if words[1] == 'record' and vim.tbl_contains(kinds(agent), words[2] or '') then
		at = at + 1
	end
	return at
end

return function(base, line)
	local words = require('ticketplan.command').words
	local before = vim.split(
		line:gsub('^%s*%S+%s+', ''):sub(1, -#base - 1),
		'%s+',
		{ trimempty = true }
	)
	if #before == 0 then return begins(vim.fn.sort(vim.tbl_keys(words)), base) end
	local command, buf = words[before[1]], vim.api.nvim_get_current_buf()
	local agent = command and ticket.agent(buf)
	if not agent then return {} end
	local what = command.takes[place_of(agent, before)]
	if what == 'kind' then return begins(kinds(agent), base) end
	if what == 'own' then
		return vim.list_extend(begins(own(agent, buf), base), ids_of(agent, base))
	end
	if not what then return {} end
	local found = ids_of(agent, base)
	if before[1] == 'record' and #before == 1 then
		vim.list_extend(found, begins(kinds(agent), base))
	end
	return found
end
