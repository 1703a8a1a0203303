-- SPDX-License-Identifier: MIT
-- Names of Tickets and records, and the words of the protocol, completed.
local ticket = require('ticketplan.ticket')

local M = {}

local MOST = 200
local PAGES = 50
local STATES = { 'planning', 'ready', 'queued', 'inprogress', 'done', 'closed' }

-- All rows of a list.  Equal clocks mean equal answers: nothing is asked twice for one.
local function rows(agent, method, params, key)
	agent.lists = agent.lists or {}
	local held, now = agent.lists[method], agent:ask('agent.sync', {})
	if not now then return held and held.rows or {} end
	if held and held.clock == now.clock then return held.rows end
	local all, cursor = {}, nil
	for _ = 1, PAGES do
		local answer = agent:ask(
			method,
			vim.tbl_extend('force', params, { limit = 1000, cursor = cursor })
		)
		if not answer then break end
		vim.list_extend(all, answer[key])
		cursor = answer.next
		if not cursor then break end
	end
	agent.lists[method] = { clock = now.clock, rows = all }
	return all
end

function M.tickets(agent) return rows(agent, 'ticket.list', {}, 'tickets') end

function M.records(agent) return rows(agent, 'record.query', { status = 'all' }, 'records') end

-- The kinds that may be recorded, as the agent that runs tells them.
function M.kinds(agent)
	if agent.kinds and agent.kinds.version == (agent.hello or {}).version then
		return agent.kinds.words
	end
	local answer = agent:ask('agent.describe', {})
	local fine, told = pcall(vim.fn.json_decode, answer and answer.table or '')
	if not fine or type(told) ~= 'table' then return {} end
	for _, method in ipairs(told.methods) do
		if method.name == 'record.add' then
			agent.kinds = {
				version = agent.hello.version,
				words = method.params.properties.kind.enum,
			}
		end
	end
	return agent.kinds and agent.kinds.words or {}
end

-- How well a Ticket answers to what was typed: the less the better; nil not at all.
local function rank(row, base)
	local function at(text) return text and text:lower():find(base, 1, true) end
	local id, slug = at(row.id), at(row.slug)
	if id == 1 then return 1, row.id end
	if slug == 1 then return 2, row.slug end
	if id then return 3, row.id end
	if slug then return 4, row.slug end
	if #base > 1 and at(row.title) then return 5, row.id end
end

-- Completion items for Tickets, those that begin with `base` first.
function M.match_tickets(agent, base)
	local plain, found = require('ticketplan.text').plain, {}
	for order, row in ipairs(M.tickets(agent)) do
		local how, word = rank(row, base:lower())
		if how then
			found[#found + 1] = {
				how = how,
				order = order,
				item = {
					word = word,
					kind = row.state,
					menu = plain(row.title),
					dup = 1,
				},
			}
		end
	end
	table.sort(found, function(a, b)
		if a.how ~= b.how then return a.how < b.how end
		return a.order < b.order
	end)
	local items = {}
	for at = 1, math.min(#found, MOST) do
		items[at] = found[at].item
	end
	return items
end

local function match_records(agent, base)
	local items, plain = {}, require('ticketplan.text').plain
	for _, record in ipairs(M.records(agent)) do
		if
			record.direction == 'stored'
			and vim.startswith(record.id:lower(), base:lower())
		then
			local said = ('%s %s  %s'):format(
				record.ticket_id,
				record.other or '',
				record.note or ''
			)
			items[#items + 1] = {
				word = record.id,
				kind = record.kind,
				menu = plain(said),
				dup = 1,
			}
			if #items == MOST then break end
		end
	end
	return items
end

local function match_words(words, base)
	return vim.tbl_filter(function(word) return vim.startswith(word, base) end, words)
end

-- What may stand here: the text of the line before the word decides.
local function items(agent, before, base)
	if before:find('"kind"%s*:%s*"$') then return match_words(M.kinds(agent), base) end
	if before:find('^%s*state:%s*[\'"]?$') or before:find('^%s*workflow_state:%s*[\'"]?$') then
		return match_words(STATES, base)
	end
	local found = before:find('"retracts"%s*:%s*"$') and {} or M.match_tickets(agent, base)
	if #base > 1 or #found == 0 then vim.list_extend(found, match_records(agent, base)) end
	if #base > 2 then vim.list_extend(found, match_words(M.kinds(agent), base)) end
	return found
end

-- 'omnifunc' or 'completefunc'.
function M.omnifunc(start, base)
	local line, column = vim.api.nvim_get_current_line(), vim.api.nvim_win_get_cursor(0)[2]
	local before = line:sub(1, column)
	if start == 1 or start == true then return #before - #before:match('[%w._:-]*$') end
	local agent = ticket.agent(vim.api.nvim_get_current_buf())
	if not agent then return {} end
	return { words = items(agent, before, base) }
end

return M
