-- SPDX-License-Identifier: MIT
-- Which Ticket a file, a buffer, or a word under the cursor is about.
local agents = require('ticketplan.agent')
local uv = vim.uv or vim.loop

local M = {}

-- The Ticket whose folder holds the file: the name of the nearest folder above it with an
-- item.md, at most four up (ID/artifacts/records/RECORD.json), or nil.
function M.of_path(path)
	local dir = path:match('^(.*)/[^/]*$')
	for _ = 1, 4 do
		if not dir or dir == '' then return nil end
		if uv.fs_stat(dir .. '/item.md') then return dir:match('([^/]*)$') end
		dir = dir:match('^(.*)/[^/]*$')
	end
end

-- A buffer's file, links resolved; nil if it has none.
function M.path(buf)
	local name = vim.api.nvim_buf_get_name(buf)
	if name == '' or vim.bo[buf].buftype ~= '' then return nil end
	return uv.fs_realpath(name) or name
end

-- The Ticket that a buffer is about: that of its file, or of the row in a window of ours.
function M.of_buffer(buf)
	local rows = vim.b[buf].ticketplan_rows
	if rows then
		local row = rows[tostring(vim.api.nvim_win_get_cursor(0)[1])]
		return row and row.ticket
	end
	local path = M.path(buf)
	return path and M.of_path(path)
end

-- The agent for a buffer: that of its file, of the window of ours, or of the current folder.
function M.agent(buf)
	local path = vim.b[buf].ticketplan_top or M.path(buf)
	return path and agents.of(path) or agents.of(vim.fn.getcwd())
end

-- What may be a Ticket's or a record's name at the cursor, or nil.
function M.word()
	local line, column = vim.api.nvim_get_current_line(), vim.api.nvim_win_get_cursor(0)[2] + 1
	local from = 1
	while true do
		local first, last = line:find('[%w][%w._:-]*', from)
		if not first then return nil end
		if column <= last then
			return column >= first and line:sub(first, last):gsub('[.:_-]+$', '') or nil
		end
		from = last + 1
	end
end

return M
