-- SPDX-License-Identifier: MIT
-- Decisions written: record, retract, accept.  What is missing is asked for.
local ticket, ulid = require('ticketplan.ticket'), require('ticketplan.ulid')

local M = {}

local SHORT = { waiting = 'waiting_capacity_note', accepted = 'accepted_plan' }
local ALONE = { waiting_capacity_note = true, accepted_plan = true }
local OPTIONS = {
	'until',
	'branch',
	'worktree',
	'role_plan',
	'note',
	'author',
	'override',
	'dangling',
	'force',
}
local FLAGS = { dangling = true, force = true }

-- A kind as the protocol spells it.
local function kind_of(word, kinds)
	local kind = word and word:gsub('-', '_')
	kind = SHORT[kind] or kind
	return vim.tbl_contains(kinds, kind) and kind or nil
end

-- Take --NAME [VALUE] and -m off the front of what was typed; the rest is the message.
local function options_of(rest, into)
	while true do
		local name, after = rest:match('^%s*%-%-([%a-]+)%s*(.*)$')
		name = name and name:gsub('-', '_')
		if not name or not vim.tbl_contains(OPTIONS, name) then break end
		if FLAGS[name] then
			into[name], rest = true, after
		else
			into[name], rest = after:match('^"([^"]*)"%s*(.*)$')
			if not rest then
				into[name], rest = after:match('^(%S+)%s*(.*)$')
			end
			rest = rest or ''
		end
	end
	rest = vim.trim(rest:gsub('^%s*%-m%s+', ''))
	return rest:match('^"(.*)"$') or rest:match("^'(.*)'$") or rest
end

-- The first word of a text, and what is behind it.
local function shift(text)
	local word, rest = text:match('^%s*(%S+)%s*(.*)$')
	return word, rest or ''
end

-- What `:Tp record` was given as parameters of record.add, or nil and what is wrong.
function M.parse(text, kinds, here)
	local first, rest = shift(text)
	local second, behind = shift(rest)
	local params = { ticket = here, kind = kind_of(first, kinds) }
	if not params.kind then
		params.ticket, params.kind, rest = first, kind_of(second, kinds), behind
	end
	if not params.ticket then return nil, 'this file is of no Ticket; name one' end
	if not params.kind then
		return nil,
			('%s is no kind of record; :Tp record [TICKET] KIND [OTHER] [WHY]'):format(
				second or first or 'nothing'
			)
	end
	if not ALONE[params.kind] and not rest:match('^%s*%-') then
		params.other, rest = shift(rest)
	end
	if not ALONE[params.kind] and not params.other then
		return nil, params.kind .. ' needs another Ticket'
	end
	params.message = options_of(rest, params)
	return params
end

-- Who decides: as tpctl takes it, else the agent knows.
local function send(agent, method, params, done)
	params.id = ulid()
	params.author = params.author or vim.env.TP_AUTHOR
	if params.author == '' then params.author = nil end
	params.token = tonumber(vim.env.TP_CLAIM_TOKEN)
	agent:request(method, params, done)
end

local function with_message(params, prompt, go)
	if params.message and params.message ~= '' then return go() end
	vim.ui.input({ prompt = prompt }, function(said)
		if not said then return end
		params.message = said ~= '' and said or nil
		go()
	end)
end

function M.add(agent, params, done)
	with_message(
		params,
		params.kind == 'accepted_plan' and 'Plan: ' or 'Why? ',
		function() send(agent, 'record.add', params, done) end
	)
end

function M.accept(agent, id, text, done)
	local params = { ticket = id }
	params.message = options_of(text, params)
	with_message(params, 'Plan: ', function() send(agent, 'ticket.accept', params, done) end)
end

-- -- Retracting -----------------------------------------------------------

-- The Ticket that holds the record, seen from one that it concerns.
local function holder(told, id)
	for _, list in ipairs({ told.outgoing, told.incoming }) do
		for _, record in ipairs(list) do
			if record.id == id then
				return record.direction == 'derived' and record.other
					or record.ticket_id
			end
		end
	end
end

local function choose(told, go)
	local records = vim.tbl_filter(
		function(record) return record.direction == 'stored' and record.kind ~= 'retraction' end,
		told.outgoing
	)
	if #records == 0 then return false end
	vim.ui.select(records, {
		prompt = 'Retract which?',
		format_item = function(record)
			local plain = require('ticketplan.text').plain
			return plain(
				('%s %s  %s'):format(
					record.kind,
					record.other or '',
					record.note or ''
				)
			)
		end,
	}, function(record)
		if record then go(record.id, told.id) end
	end)
	return true
end

-- The record of the line, in a file of records or a window of ours.
local function at_cursor(buf)
	local line = tostring(vim.api.nvim_win_get_cursor(0)[1])
	local row = (vim.b[buf].ticketplan_records or {})[line]
		or (vim.b[buf].ticketplan_rows or {})[line]
	return row and row.record
end

-- `text`: [TICKET] [RECORD] [WHY], each from where the cursor is if it is missing.
function M.retract(agent, buf, text, done)
	local here, id = ticket.of_buffer(buf), nil
	local first, rest = shift(text)
	local told = here and agent:ask('ticket.get', { ticket = here, status = 'all' })
	told = told and told.ticket
	if first and told and holder(told, first) then
		id, text = first, rest
	elseif first then
		local answer, err = agent:ask('ticket.get', { ticket = first, status = 'all' })
		if not answer then return done(err) end
		told, id, text = answer.ticket, shift(rest)
	end
	if not told then return done({ text = 'this file is of no Ticket; name one' }) end
	local params = {}
	params.message = options_of(text or '', params)
	local function go(record, owner)
		params.ticket, params.record = owner, record
		with_message(
			params,
			'Why? ',
			function() send(agent, 'record.retract', params, done) end
		)
	end
	id = id or at_cursor(buf)
	if id then return go(id, holder(told, id) or told.id) end
	if not choose(told, go) then done({ text = told.id .. ' has no record to retract' }) end
end

return M
