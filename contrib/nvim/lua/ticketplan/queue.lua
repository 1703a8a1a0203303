-- SPDX-License-Identifier: MIT
-- The queue in a window, which follows what happens.
local config, pane, text =
	require('ticketplan.config'), require('ticketplan.pane'), require('ticketplan.text')

local M = { shown = {} }

local PAGES = 20

-- -- The sheet ------------------------------------------------------------

local function icon(verdict)
	if verdict == 'clear' then return config.icons.clear, 'TicketplanClear' end
	return config.icons.held, 'TicketplanHeld'
end

local function count(rows, verdict)
	local n = 0
	for _, row in ipairs(rows) do
		n = n + (row.gate.verdict == verdict and 1 or 0)
	end
	return n
end

local function add_head(sheet, queue)
	local name = queue.agent.top:match('([^/]*)$')
	local rows = queue.rows
	sheet:add(name, 'TicketplanId')
	if #rows == 0 and not queue.trouble then
		sheet:add('  nothing is queued', 'TicketplanFaint')
	elseif #rows > 0 then
		sheet:add(('  %d queued: '):format(queue.count or #rows), 'TicketplanFaint')
		sheet:add(count(rows, 'clear') .. ' clear', 'TicketplanClear')
			:add(', ', 'TicketplanFaint')
		sheet:add(count(rows, 'held') .. ' held', 'TicketplanHeld')
	end
	if queue.trouble then sheet:add('  ' .. text.plain(queue.trouble), 'TicketplanHeld') end
	sheet:line()
end

local function add_row(sheet, row, width)
	local mark, group = icon(row.gate.verdict)
	sheet:add(mark .. ' ', group):add(text.pad(row.id, width), 'TicketplanId')
	sheet:add(('  %-10s  '):format((row.queued_at or ''):sub(1, 10)), 'TicketplanFaint')
	sheet:add(text.plain(row.title)):line()
end

local function add_reason(sheet, reason)
	local hold = reason.severity == 'hold'
	sheet:add(
		'    ' .. text.pad(reason.code, 9) .. '  ',
		hold and 'TicketplanHeld' or 'TicketplanNote'
	)
	sheet:add(text.plain(reason.text)):line()
end

local function sheet_of(queue)
	local sheet, rows, width = text.sheet(), {}, 0
	for _, row in ipairs(queue.rows) do
		width = math.max(width, #row.id)
	end
	add_head(sheet, queue)
	for _, row in ipairs(queue.rows) do
		rows[sheet:row()] = { ticket = row.id, head = true }
		add_row(sheet, row, math.min(width, 44))
		for _, reason in ipairs(queue.reasons and row.gate.reasons or {}) do
			rows[sheet:row()] = { ticket = row.id, record = reason.record }
			add_reason(sheet, reason)
		end
	end
	return sheet, rows
end

-- The Ticket that the cursor of a window is on, and how far below its row.
local function cursor_at(buf, win)
	local line = vim.api.nvim_win_get_cursor(win)[1]
	local rows = vim.b[buf].ticketplan_rows or {}
	local here, below = rows[tostring(line)], 0
	while here and not here.head do
		below = below + 1
		here = rows[tostring(line - below)]
	end
	return here and here.ticket, below
end

local function set_cursor(win, rows, id, below)
	for line, row in pairs(rows) do
		if row.head and row.ticket == id then
			local next = rows[line + below]
			local same = next and next.ticket == id
			return pcall(
				vim.api.nvim_win_set_cursor,
				win,
				{ same and line + below or line, 0 }
			)
		end
	end
end

local function render(queue)
	if not vim.api.nvim_buf_is_loaded(queue.buf) then return end
	local sheet, rows = sheet_of(queue)
	-- What is the same is not drawn again: it would count as a move of the cursor.
	local drawn = table.concat(sheet.lines, '\n')
	if drawn == queue.drawn then return end
	queue.drawn = drawn
	local cursors = {}
	for _, win in ipairs(vim.fn.win_findbuf(queue.buf)) do
		cursors[win] = { cursor_at(queue.buf, win) }
	end
	pane.fill(queue.buf, sheet, rows)
	for win, at in pairs(cursors) do
		set_cursor(win, rows, at[1], at[2])
	end
end

-- -- Following ------------------------------------------------------------

local function read(queue, done, cursor, rows)
	queue.agent:request('queue.list', { limit = 1000, cursor = cursor }, function(err, answer)
		if err then return done(err) end
		vim.list_extend(rows, answer.queue)
		if answer.next and #rows < PAGES * 1000 then
			return read(queue, done, answer.next, rows)
		end
		done(nil, rows, answer.count)
	end)
end

-- Ask anew and show it; one question at a time, and one more if something happened meanwhile.
local function refresh(queue)
	if queue.asking then
		queue.again = true
		return
	end
	queue.asking = true
	read(queue, function(err, rows, all)
		queue.asking = false
		queue.trouble = err and err.text
		if rows then
			queue.rows, queue.count = rows, all
		end
		render(queue)
		if queue.again then
			queue.again = false
			refresh(queue)
		end
	end, nil, {})
end

-- What somebody may wait for, or should know of.
local function tell_news(event)
	if not config.notify then return end
	for _, id in ipairs(event.woken or {}) do
		vim.notify(('ticketplan: %s is clear now'):format(id), vim.log.levels.INFO)
	end
	for _, problem in ipairs(event.problems or {}) do
		local said = text.plain(problem.text)
		if problem.ticket then said = problem.ticket .. ': ' .. said end
		vim.notify('ticketplan: ' .. said, vim.log.levels.WARN)
	end
end

local function heard(queue, event)
	if #vim.fn.win_findbuf(queue.buf) == 0 then
		queue.agent:forget(queue)
		return
	end
	if event.what == 'away' then
		queue.trouble = event.fault and event.fault.text
			or 'the agent has gone; looking for it'
		return render(queue)
	end
	tell_news(event)
	refresh(queue)
end

local function keys(queue)
	local function map(key, what, how)
		vim.keymap.set(
			'n',
			key,
			how,
			{ buffer = queue.buf, nowait = true, silent = true, desc = what }
		)
	end
	map('r', 'Ask again', function() refresh(queue) end)
	map('<Tab>', 'Show or hide the reasons', function()
		queue.reasons = not queue.reasons
		render(queue)
	end)
end

function M.open(agent)
	local buf, win = pane.open('ticketplan://queue' .. agent.top, agent, config.queue_height)
	local queue = M.shown[buf]
	if not queue then
		queue = {
			agent = agent,
			buf = buf,
			rows = {},
			reasons = config.queue_reasons,
			trouble = 'asking …',
		}
		M.shown[buf] = queue
		render(queue)
	end
	keys(queue)
	agent:listen(queue, function(event) heard(queue, event) end)
	refresh(queue)
	return buf, win
end

-- Where there is no feed: what is shown is asked for again when somebody looks.
function M.look()
	for buf, queue in pairs(M.shown) do
		if #vim.fn.win_findbuf(buf) > 0 and not queue.agent.feed then refresh(queue) end
	end
end

return M
