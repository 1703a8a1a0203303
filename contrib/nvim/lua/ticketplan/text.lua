-- SPDX-License-Identifier: MIT
-- Text of Tickets as it may be shown, and sheets: lines with coloured parts.
local M = {}

-- Characters that print as nothing and change how others print, as ranges of code points.
local INVISIBLE = {
	{ 0x00, 0x1f },
	{ 0x7f, 0x9f },
	{ 0xad, 0xad },
	{ 0x61c, 0x61c },
	{ 0x180e, 0x180e },
	{ 0x200b, 0x200f },
	{ 0x2028, 0x202e },
	{ 0x2060, 0x206f },
	{ 0xfeff, 0xfeff },
	{ 0xfff9, 0xfffb },
	{ 0xe0000, 0xe007f },
}

local function escape(char)
	local code = vim.fn.char2nr(char)
	for _, range in ipairs(INVISIBLE) do
		if code >= range[1] and code <= range[2] then
			return ({ [9] = '\\t', [10] = '\\n' })[code]
				or (code < 256 and '\\x%02x' or '\\u{%x}'):format(code)
		end
	end
end

-- Anybody's text, on one line, with nothing in it that is not seen.
function M.plain(text)
	text = tostring(text or ''):gsub('%z', '\\x00')
	if not text:find('[%c\127\128-\255]') then return text end
	return (text:gsub('%c', escape):gsub('[\194-\244][\128-\191]+', escape))
end

-- The same for text that has lines.
function M.lines(text)
	return vim.tbl_map(M.plain, vim.split(text or '', '\n', { plain = true, trimempty = true }))
end

-- What fits into so many columns, and the rest; a word that is too long is cut.
local function cut(text, width)
	if vim.fn.strdisplaywidth(text) <= width then return text, '' end
	local least, most = 1, vim.fn.strchars(text)
	while least < most do
		local middle = math.ceil((least + most) / 2)
		if vim.fn.strdisplaywidth(vim.fn.strcharpart(text, 0, middle)) <= width then
			least = middle
		else
			most = middle - 1
		end
	end
	local head = vim.fn.strcharpart(text, 0, least)
	local blank = head:match('^.*() ')
	if text:sub(#head + 1, #head + 1) ~= ' ' and blank and blank > #head / 2 then
		head = head:sub(1, blank - 1)
	end
	return head, (text:sub(#head + 1):gsub('^ +', ''))
end

function M.wrap(text, width)
	local lines, rest = {}, text
	repeat
		local head
		head, rest = cut(rest, math.max(width, 10))
		lines[#lines + 1] = head
	until rest == ''
	return lines
end

-- Padded to so many columns.
function M.pad(text, width) return text .. (' '):rep(width - vim.fn.strdisplaywidth(text)) end

local Sheet = {}
Sheet.__index = Sheet

function M.sheet() return setmetatable({ lines = { '' }, parts = {} }, Sheet) end

-- Add to the last line.  `text` is plain already.
function Sheet:add(text, group)
	local row = #self.lines
	local from = #self.lines[row]
	self.lines[row] = self.lines[row] .. text
	if group and text ~= '' then
		table.insert(
			self.parts,
			{ row = row - 1, from = from, to = from + #text, group = group }
		)
	end
	return self
end

function Sheet:line()
	self.lines[#self.lines + 1] = ''
	return self
end

-- Add text that goes on below itself, behind `lead`, within so many columns.
function Sheet:flow(text, group, lead, width)
	local column = vim.fn.strdisplaywidth(lead)
	for at, part in ipairs(M.wrap(text, width - column)) do
		if at > 1 then self:line():add(lead, 'TicketplanFaint') end
		self:add(part, group)
	end
	return self
end

-- The number of the line that is being written, from 1.
function Sheet:row() return #self.lines end

-- Move all of it to the right by a column.
function Sheet:indent()
	for row, line in ipairs(self.lines) do
		self.lines[row] = ' ' .. line .. ' '
	end
	for _, part in ipairs(self.parts) do
		part.from, part.to = part.from + 1, part.to + 1
	end
end

-- Be what a buffer holds.
function Sheet:put(buf, namespace)
	local lines = self.lines
	if lines[#lines] == '' and #lines > 1 then lines[#lines] = nil end
	vim.bo[buf].modifiable = true
	vim.api.nvim_buf_set_lines(buf, 0, -1, false, lines)
	vim.bo[buf].modifiable = false
	self:colour(buf, namespace)
end

function Sheet:colour(buf, namespace)
	vim.api.nvim_buf_clear_namespace(buf, namespace, 0, -1)
	for _, part in ipairs(self.parts) do
		vim.api.nvim_buf_set_extmark(buf, namespace, part.row, part.from, {
			end_col = part.to,
			hl_group = part.group,
			priority = 100,
		})
	end
end

return M
