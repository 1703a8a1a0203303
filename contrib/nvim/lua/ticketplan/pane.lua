-- SPDX-License-Identifier: MIT
-- Windows of ours: a pane below for what is looked at longer, a card at the cursor for a glance.
local ticket = require('ticketplan.ticket')

local M = { namespace = vim.api.nvim_create_namespace('ticketplan_pane') }

local function buffer(name)
	local buf = vim.fn.bufnr('^' .. vim.fn.escape(name, '[]*?') .. '$')
	if buf > 0 then return buf end
	buf = vim.api.nvim_create_buf(false, true)
	vim.api.nvim_buf_set_name(buf, name)
	vim.bo[buf].bufhidden = 'hide'
	vim.bo[buf].undolevels = -1
	vim.bo[buf].modifiable = false
	return buf
end

-- Go to a window for files: the one before, else any, else a new one.
local function leave()
	vim.cmd('wincmd p')
	if vim.bo.buftype == '' then return end
	for _, win in ipairs(vim.api.nvim_tabpage_list_wins(0)) do
		if vim.bo[vim.api.nvim_win_get_buf(win)].buftype == '' then
			return vim.api.nvim_set_current_win(win)
		end
	end
	vim.cmd('topleft new')
end

-- Jump to what is named at the cursor, else to the Ticket of the row.
local function follow(buf)
	local agent, jump = ticket.agent(buf), require('ticketplan.jump')
	local line = tostring(vim.api.nvim_win_get_cursor(0)[1])
	local row = (vim.b[buf].ticketplan_rows or {})[line] or {}
	local word = ticket.word()
	local found = word and word ~= row.ticket and agent and jump.find(agent, word, row.ticket)
	if not found and row.ticket and agent then found = jump.find(agent, row.ticket) end
	if not found then return require('ticketplan.command').fail('nothing to jump to here') end
	leave()
	M.close_card()
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

-- Where so many lines fit: below the cursor, else above it, else where there is more room.
local function card_place(width, height)
	local cursor = vim.fn.screenpos(0, vim.fn.line('.'), vim.fn.col('.'))
	local row, column = math.max(cursor.row, 1), math.max(cursor.col, 1)
	local above, below = row - 3, vim.o.lines - vim.o.cmdheight - row - 2
	local up = below < height and above > below
	local shown = math.max(1, math.min(height, up and above or below))
	return {
		relative = 'editor',
		style = 'minimal',
		border = 'rounded',
		row = up and row - shown - 3 or row,
		col = math.max(0, math.min(column - 1, vim.o.columns - width - 2)),
		width = width,
		height = shown,
		focusable = true,
	}
end

local card

function M.close_card()
	if card and vim.api.nvim_win_is_valid(card) then vim.api.nvim_win_close(card, true) end
	card = nil
end

-- The card goes when the cursor moves, unless it moved into the card.
local function close_later(buf)
	vim.api.nvim_create_autocmd({ 'CursorMoved', 'CursorMovedI', 'InsertEnter', 'BufHidden' }, {
		buffer = buf,
		callback = function()
			if card and vim.api.nvim_get_current_win() == card then return end
			M.close_card()
			return true
		end,
	})
end

-- A Ticket at a glance, at the cursor, until that moves; asked for again, one goes into it.
function M.card(told, agent)
	if card and vim.api.nvim_win_is_valid(card) then
		return vim.api.nvim_set_current_win(card)
	end
	local buf, here = vim.api.nvim_create_buf(false, true), vim.api.nvim_get_current_buf()
	local sheet = require('ticketplan.views').card(told, math.min(80, vim.o.columns - 6))
	local rows, width = {}, 0
	sheet:indent()
	for line, shown in ipairs(sheet.lines) do
		rows[line] = { ticket = told.id }
		width = math.max(width, vim.fn.strdisplaywidth(shown))
	end
	M.fill(buf, sheet, rows)
	card = vim.api.nvim_open_win(buf, false, card_place(width, #sheet.lines))
	local colours = 'NormalFloat:Normal,FloatBorder:TicketplanFaint'
	vim.api.nvim_win_set_option(card, 'winhighlight', colours)
	vim.bo[buf].bufhidden = 'wipe'
	vim.b[buf].ticketplan_top = agent.top
	keys(buf)
	close_later(here)
end

return M
