-- SPDX-License-Identifier: MIT
-- What the agent says of a Ticket, shown in its files: verdict and reasons at the state in
-- item.md, what is wrong at its line, and what has become of each record at its own.
local config, text, ticket =
	require('ticketplan.config'), require('ticketplan.text'), require('ticketplan.ticket')

local M = {
	said = vim.api.nvim_create_namespace('ticketplan'),
	found = vim.api.nvim_create_namespace('ticketplan_diagnostics'),
}

local SEVERITY = vim.diagnostic.severity
-- Reasons stand behind the state already; what is left to show of a diagnostic is where.
vim.diagnostic.config({ virtual_text = false }, M.found)

-- The row of the front matter that says the state, and from where to where; from 0.
local function state_place(buf)
	local found = { row = 0, from = 0, to = 0 }
	for at, line in ipairs(vim.api.nvim_buf_get_lines(buf, 0, 100, false)) do
		if at > 1 and line:match('^%-%-%-%s*$') then break end
		local key, from, value = line:match('^([%a_]+):%s*[\'"]?()([%a_]*)')
		local better = key == 'state'
			or (key == 'workflow_state' and found.key ~= 'state')
			or (key == 'status' and not found.key)
		if better then
			found = { key = key, row = at - 1, from = from - 1, to = from - 1 + #value }
		end
	end
	return found
end

-- Who works on it, in few words; nil if nobody does.
function M.claimed(claims)
	local names = {}
	for at, claim in ipairs(claims or {}) do
		names[at] = claim.session .. (claim.role and (' (%s)'):format(claim.role) or '')
	end
	return #names > 0 and 'claimed by ' .. text.plain(table.concat(names, ', ')) or nil
end

-- A reason in few words.
local function brief(reason)
	return reason.other and reason.code .. ' ' .. reason.other or reason.code
end

-- Verdict, reasons and claims in short, as parts of a line: {text, group}.
function M.verdict(gate, claims)
	local icon, group = config.icons.other, 'TicketplanNote'
	if gate.verdict == 'clear' then
		icon, group = config.icons.clear, 'TicketplanClear'
	elseif gate.verdict == 'held' then
		icon, group = config.icons.held, 'TicketplanHeld'
	end
	local by, holds, notes = M.claimed(claims), {}, {}
	for _, reason in ipairs(gate.reasons) do
		local of = reason.severity == 'hold' and holds or notes
		if reason.code ~= 'claimed' or not by then of[#of + 1] = brief(reason) end
	end
	if #notes > 0 then notes[1] = 'note: ' .. notes[1] end
	local parts = { { icon .. ' ' .. gate.verdict:gsub('_', ' '), group } }
	for _, short in ipairs({ table.concat(holds, ', '), by or '', table.concat(notes, ', ') }) do
		if short ~= '' then parts[#parts + 1] = { '  ' .. short, 'TicketplanFaint' } end
	end
	return parts
end

local function severity(told, reason)
	if reason.code == 'unreadable' then return SEVERITY.ERROR end
	if reason.severity ~= 'hold' then return SEVERITY.HINT end
	return told.gate.verdict == 'held' and SEVERITY.WARN or SEVERITY.INFO
end

local function of_reasons(told, place, into)
	for _, reason in ipairs(told.resolved and {} or told.gate.reasons) do
		into[#into + 1] = {
			lnum = place.row,
			col = place.from,
			end_col = place.to,
			severity = severity(told, reason),
			message = text.plain(reason.text),
			code = reason.code,
			source = 'ticketplan',
		}
	end
end

local function of_problems(told, relative, into, lines)
	for _, problem in ipairs(told.problems) do
		if problem.file == relative then
			into[#into + 1] = {
				lnum = math.min(problem.line or 1, lines) - 1,
				col = 0,
				source = 'ticketplan',
				code = problem.code,
				severity = problem.severity == 'error' and SEVERITY.ERROR
					or SEVERITY.WARN,
				message = text.plain(problem.text .. '; ' .. problem.remedy),
			}
		end
	end
end

local function say(buf, row, parts)
	if not config.marks then return end
	table.insert(parts, 1, { '  ' })
	vim.api.nvim_buf_set_extmark(
		buf,
		M.said,
		row,
		0,
		{ virt_text = parts, hl_mode = 'combine' }
	)
end

-- Each record of this file: what has become of it.
local function of_records(buf, told, relative, lines)
	local here = {}
	for _, record in ipairs(told.outgoing) do
		local line = math.min(record.line or 1, lines)
		if record.file == relative then
			local group = record.status == 'live' and 'TicketplanNote'
				or 'TicketplanFaint'
			say(buf, line - 1, { { record.status, group } })
			here[tostring(line)] = { ticket = told.id, record = record.id }
		end
	end
	vim.b[buf].ticketplan_records = here
end

-- Show the answer of ticket.get in a buffer of one of the Ticket's files.
local function show(buf, told, top)
	local path = ticket.path(buf)
	local relative = path:sub(#top + 2)
	local lines, diagnostics = vim.api.nvim_buf_line_count(buf), {}
	vim.api.nvim_buf_clear_namespace(buf, M.said, 0, -1)
	of_problems(told, relative, diagnostics, lines)
	if path:match('/item%.md$') then
		local place = state_place(buf)
		of_reasons(told, place, diagnostics)
		if not told.resolved then say(buf, place.row, M.verdict(told.gate, told.claims)) end
	else
		of_records(buf, told, relative, lines)
	end
	vim.diagnostic.set(M.found, buf, config.marks and diagnostics or {})
	vim.b[buf].ticketplan_ticket = told.id
	vim.b[buf].ticketplan_verdict = told.gate.verdict
end

function M.clear(buf)
	vim.api.nvim_buf_clear_namespace(buf, M.said, 0, -1)
	vim.diagnostic.reset(M.found, buf)
	vim.b[buf].ticketplan_verdict = nil
end

-- Ask and show anew; done(fault or nil).  A file of no Ticket stays as it is.
function M.refresh(buf, done)
	local agent, path = ticket.agent(buf), ticket.path(buf)
	local id = agent and path and ticket.of_path(path)
	if not id then return end
	agent:request('ticket.get', { ticket = id, status = 'all' }, function(err, answer)
		if not vim.api.nvim_buf_is_loaded(buf) then return end
		if err then
			M.clear(buf)
		else
			show(buf, answer.ticket, agent.top)
		end
		if done then done(err) end
	end)
end

return M
