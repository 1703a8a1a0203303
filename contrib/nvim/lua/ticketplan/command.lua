-- SPDX-License-Identifier: MIT
-- :Tp, its words and their completion.
local config, complete = require('ticketplan.config'), require('ticketplan.complete')
local pane, record, ticket =
	require('ticketplan.pane'), require('ticketplan.record'), require('ticketplan.ticket')

local M = {}

-- -- Saying ---------------------------------------------------------------

local function say(what)
	vim.notify('ticketplan: ' .. require('ticketplan.text').plain(what), vim.log.levels.INFO)
end

-- An error, as one line.
function M.fail(err)
	local text = type(err) == 'table' and err.text or tostring(err)
	vim.notify('ticketplan: ' .. require('ticketplan.text').plain(text), vim.log.levels.ERROR)
end

-- A callback that tells an error, or goes on with the answer.
local function told(go)
	return function(err, answer)
		if err then
			M.fail(err)
		else
			go(answer)
		end
	end
end

-- -- The commands ---------------------------------------------------------

-- The Ticket named first, else that of the buffer; calls go(id).
local function on_ticket(call, go)
	local id = call.words[1] or ticket.of_buffer(call.buf)
	if id then
		go(id)
	else
		M.fail('this file is of no Ticket; name one')
	end
end

local function check(call)
	on_ticket(call, function(id)
		local go = told(function(answer) pane.card(answer.ticket, call.agent) end)
		call.agent:request('ticket.get', { ticket = id }, go)
	end)
end

-- A pane with what an answer says.
local function show(call, name, sheet, rows)
	local buf, win = pane.open(
		'ticketplan://' .. name .. call.agent.top,
		call.agent,
		config.queue_height
	)
	pane.fill(buf, sheet, rows)
	pane.fit(win, buf, math.floor(vim.o.lines / 2))
	vim.api.nvim_win_set_cursor(win, { 1, 0 })
	return win
end

local function why(call)
	on_ticket(call, function(id)
		call.agent:request(
			'ticket.why',
			{ ticket = id },
			told(
				function(answer)
					show(
						call,
						'why',
						require('ticketplan.views').why(
							answer,
							vim.o.columns - 1
						)
					)
				end
			)
		)
	end)
end

local function brief(call)
	call.agent:request(
		'brief.get',
		{},
		told(function(answer)
			local sheet, rows = require('ticketplan.views').brief(answer)
			pane.wrap(show(call, 'brief', sheet, rows))
		end)
	)
end

local function go_to(call)
	local jump = require('ticketplan.jump')
	local name = call.words[1] or ticket.word() or ticket.of_buffer(call.buf)
	if not name then return M.fail('no name under the cursor') end
	local found, err = jump.find(call.agent, name, ticket.of_buffer(call.buf))
	if found then
		jump.open(found)
	else
		M.fail(err or ('nothing is called ' .. name))
	end
end

-- Show rows of an answer as a list of places; item(row) gives the sources and the file of a
-- row, and what else the list shall say of it.
local function quickfix(call, title, rows, item)
	local tops, items = call.agent:tops() or {}, {}
	for at, row in ipairs(rows) do
		local sources, file, rest = item(row)
		rest.filename = file and call.agent:file(sources, file, tops)
		rest.text = require('ticketplan.text').plain(rest.text)
		items[at] = rest
	end
	vim.fn.setqflist({}, ' ', { title = title, items = items })
	if #items > 0 then vim.cmd('botright copen') end
end

local function doctor_item(problem)
	local said = ('%s: %s; %s'):format(problem.code, problem.text, problem.remedy)
	local kind = problem.severity == 'error' and 'E' or 'W'
	return { problem.source or 'main' },
		problem.file,
		{ lnum = problem.line or 1, type = kind, text = said }
end

local function doctor(call)
	local go = told(function(answer)
		quickfix(call, 'Tp doctor', answer.problems, doctor_item)
		say(answer.count == 0 and 'no problems' or ('%d problems'):format(answer.count))
	end)
	call.agent:request('doctor.run', { ticket = call.words[1], limit = 1000 }, go)
end

local function record_item(one)
	local said = ('%s %s %s  %s'):format(
		one.ticket_id,
		one.kind,
		one.other or '',
		one.note or ''
	)
	return one.sources, one.file, { lnum = one.line, text = said }
end

local function records(call)
	local id = call.words[1] or ticket.of_buffer(call.buf)
	local go = told(function(answer)
		quickfix(call, 'Tp records', answer.records, record_item)
		if answer.count == 0 then say('no records') end
	end)
	call.agent:request('record.query', { ticket = id, limit = 1000 }, go)
end

-- Say what was stored, and show what became of it.
local function stored(call, word)
	return told(function(answer)
		local kept = answer.stored and word .. ' ' .. answer.record.id
			or 'known already by the relation ' .. answer.record.id
		say(
			('%s: %s %s %s'):format(
				kept,
				answer.record.ticket_id,
				answer.record.kind,
				answer.record.other or ''
			)
		)
		require('ticketplan').refresh(call.agent)
	end)
end

local function add(call)
	local params, wrong =
		record.parse(call.rest, complete.kinds(call.agent), ticket.of_buffer(call.buf))
	if not params then return M.fail(wrong) end
	record.add(call.agent, params, stored(call, 'recorded'))
end

local function retract(call)
	record.retract(call.agent, call.buf, call.rest, stored(call, 'retracted, by'))
end

local function accept(call)
	on_ticket(call, function(id)
		local message = call.words[1] and call.rest:gsub('^%S+%s*', '') or ''
		record.accept(call.agent, id, message, stored(call, 'accepted'))
	end)
end

-- -- Claims ---------------------------------------------------------------

-- The claim lives as long as this Neovim.
local function claim(call)
	on_ticket(call, function(id)
		local role = call.words[2]
		local params = {
			ticket = { id },
			role = role,
			pid = (vim.uv or vim.loop).getpid(),
			source = call.agent.name,
		}
		call.agent:request(
			'claim.take',
			params,
			told(function(answer)
				local one = answer.claims[1]
				say(
					('%s is claimed by %s, until this Neovim ends or :Tp release'):format(
						one.ticket,
						one.session
					)
				)
				require('ticketplan').refresh(call.agent)
			end)
		)
	end)
end

local function release(call)
	on_ticket(call, function(id)
		call.agent:request(
			'claim.release',
			{ ticket = { id } },
			told(function(answer)
				say(answer.ended[1].ticket .. ' is released')
				require('ticketplan').refresh(call.agent)
			end)
		)
	end)
end

local function status(call)
	call.agent:request(
		'agent.status',
		{},
		told(
			function(s)
				say(
					('process %d, %s, %d Tickets, %d records, %d problems'):format(
						s.pid,
						s.mode,
						s.tickets,
						s.records,
						s.problems
					)
				)
			end
		)
	)
end

local function start(call)
	call.agent:start(told(function(text)
		say(vim.trim(text))
		require('ticketplan').refresh(call.agent)
	end))
end

local function queue(call) require('ticketplan.queue').open(call.agent) end

-- What each word does, what the agent must be able to do for it, and what its arguments are.
M.words = {
	check = { run = check, needs = 'ticket.get', takes = { 'ticket' } },
	show = { run = go_to, needs = 'ticket.get', takes = { 'any' } },
	why = { run = why, needs = 'ticket.why', takes = { 'ticket' } },
	queue = { run = queue, needs = 'queue.list', takes = {} },
	brief = { run = brief, needs = 'brief.get', takes = {} },
	records = { run = records, needs = 'record.query', takes = { 'ticket' } },
	doctor = { run = doctor, needs = 'doctor.run', takes = { 'ticket' } },
	record = { run = add, needs = 'record.add', takes = { 'ticket', 'kind', 'ticket' } },
	retract = { run = retract, needs = 'record.retract', takes = { 'own', 'own' } },
	accept = { run = accept, needs = 'ticket.accept', takes = { 'ticket' } },
	claim = { run = claim, needs = 'claim.take', takes = { 'ticket' } },
	release = { run = release, needs = 'claim.release', takes = { 'ticket' } },
	status = { run = status, needs = 'agent.status', takes = {} },
	start = { run = start, takes = {} },
}

local function names()
	local all = vim.tbl_keys(M.words)
	table.sort(all)
	return all
end

-- Go on once it is known what the agent can do.
local function able(agent, word, go)
	local needs = M.words[word].needs
	if not needs then return go() end
	local function decide(err)
		if err then return M.fail(err) end
		if agent.can[needs] then return go() end
		M.fail(
			('the agent that runs does not know %s; end it by tpctl stop, then :Tp start'):format(
				needs
			)
		)
	end
	if agent.state == 'open' then return decide() end
	agent:request('agent.sync', {}, decide)
end

function M.run(opts)
	local word, rest = opts.args:match('^%s*(%S*)%s*(.-)%s*$')
	if word == '' then word = 'queue' end
	local command, buf = M.words[word], vim.api.nvim_get_current_buf()
	if not command then
		return M.fail(
			('no command %s; there are %s'):format(word, table.concat(names(), ', '))
		)
	end
	local agent = ticket.agent(buf)
	if not agent then return M.fail('no git repository here') end
	local call = {
		agent = agent,
		buf = buf,
		rest = rest,
		words = vim.split(rest, '%s+', { trimempty = true }),
	}
	able(agent, word, function()
		if vim.api.nvim_buf_is_valid(buf) then command.run(call) end
	end)
end

return M
