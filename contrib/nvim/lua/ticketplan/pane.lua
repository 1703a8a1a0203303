-- SPDX-License-Identifier: MIT
-- Windows of ours: a pane below for what is looked at longer, a card at the cursor for a glance.
local text, ticket = require('ticketplan.text'), require('ticketplan.ticket')

local M = { namespace = vim.api.nvim_create_namespace('ticketplan_pane') }

local function buffer(name)
	local buf = vim.fn.bufnr('^' .. vim.fn.escape(name, '[]*?') .. '$')
	if buf > 0 then return buf end
	buf = vim.api.nvim_create_buf(false, true)
	vim.api.nvim_buf_set_name(buf, name)
	vim.bo[buf].bufhidden = 'hide'
	vim.bo[buf].modifiable = false
	return buf
end

-- Jump to the Ticket or record of the row, else to what is named at the cursor, in the
-- window one came from.
local function follow(buf)
	local agent, jump = ticket.agent(buf), require('ticketplan.jump')
	local row = (vim.b[buf].ticketplan_rows or {})[tostring(vim.api.nvim_win_get_cursor(0)[1])]
		or {}
	local word = ticket.word()
	local found = word and word ~= row.ticket and agent and jump.find(agent, word, row.ticket)
	if not found and row.ticket and agent then found = jump.find(agent, row.ticket) end
	if not found then return require('ticketplan.command').fail('nothing to jump to here') end
	vim.cmd('wincmd p')
	if vim.api.nvim_get_current_buf() == buf then vim.cmd('aboveleft new') end
	jump.open(found)
end

local function keys(buf)
	local function map(key, what, how)
		vim.keymap.set(
			'n',
			key,
			how,
			{ buffer = buf, nowait = true, silent = true, desc = what }
		)
	end
	map('q', 'Close', '<Cmd>close<CR>')
	map('<CR>', 'Open the Ticket or record', function() follow(buf) end)
	map('K', 'What the agent says of it', '<Cmd>Tp check<CR>')
	map('w', 'What holds it', '<Cmd>Tp why<CR>')
end

-- The pane of that name, shown, and gone to; gives its buffer and window.
function M.open(name, agent, height)
	local buf = buffer(name)
	local win = vim.fn.bufwinid(buf)
	if win < 0 then
		vim.cmd(('botright %dsplit'):format(height))
		win = vim.api.nvim_get_current_win()
		vim.api.nvim_win_set_buf(win, buf)
		for option, value in pairs({
			number = false,
			relativenumber = false,
			signcolumn = 'no',
			foldcolumn = '0',
			list = false,
			spell = false,
			wrap = false,
			cursorline = true,
			winfixheight = true,
			colorcolumn = '',
		}) do
			vim.api.nvim_win_set_option(win, option, value)
		end
	else
		vim.api.nvim_set_current_win(win)
	end
	vim.bo[buf].filetype = 'ticketplan'
	vim.b[buf].ticketplan_top = agent.top
	keys(buf)
	return buf, win
end

-- Fill a pane with a sheet; `rows` says what a line is about: {[line] = {ticket, record}}.
function M.fill(buf, sheet, rows)
	local told = {}
	for line, row in pairs(rows or {}) do
		told[tostring(line)] = row
	end
	sheet:put(buf, M.namespace)
	vim.b[buf].ticketplan_rows = told
end

-- Let long lines go on below themselves.
function M.wrap(win)
	vim.api.nvim_win_set_option(win, 'wrap', true)
	vim.api.nvim_win_set_option(win, 'linebreak', true)
	vim.api.nvim_win_set_option(win, 'breakindent', true)
	vim.api.nvim_win_set_option(win, 'breakindentopt', 'shift:2')
end

-- Give a pane the height its text needs, within bounds.
function M.fit(win, buf, most)
	local lines = vim.api.nvim_buf_line_count(buf)
	vim.api.nvim_win_set_height(win, math.max(3, math.min(lines, most)))
end

-- A sheet at the cursor, which goes when the cursor moves.
function M.card(sheet)
	if sheet.lines[#sheet.lines] == '' then sheet.lines[#sheet.lines] = nil end
	local buf = vim.lsp.util.open_floating_preview(sheet.lines, '', {
		border = 'rounded',
		focus_id = 'ticketplan',
		max_width = 84,
		wrap = false,
	})
	sheet:colour(buf, M.namespace)
	return buf
end

-- How wide a card may be.
function M.card_width() return math.min(80, vim.o.columns - 6) end

M.sheet = text.sheet

return M
