-- SPDX-License-Identifier: MIT
-- From a name to the file and line it stands for.
local ticket = require('ticketplan.ticket')

local M = {}

-- As many records as are looked through for one by its id.
local PAGES = 20

local function place(agent, sources, file, line)
	local tops, err = agent:tops()
	local path = tops and agent:file(sources, file, tops)
	if path then return { path = path, line = line or 1 } end
	return nil, err
end

local function of_ticket(agent, answer)
	local told, names = answer.ticket, {}
	for _, source in ipairs(told.sources) do
		names[#names + 1] = source.name
	end
	for _, source in ipairs(told.sources) do
		local found = place(agent, { source.name }, source.path .. '/item.md')
		if found and (#names == 1 or vim.startswith(found.path, agent.top .. '/')) then
			return found
		end
	end
	return told.sources[1]
		and place(agent, { told.sources[1].name }, told.sources[1].path .. '/item.md')
end

-- A record by its id: first among those of one Ticket, where KIND:TARGET is one too.
local function of_record(agent, id, near)
	local answer = near and agent:ask('ticket.get', { ticket = near, status = 'all' })
	if answer then
		for _, list in ipairs({ answer.ticket.outgoing, answer.ticket.incoming }) do
			for _, record in ipairs(list) do
				if record.id == id then
					return place(
						agent,
						record.sources,
						record.file,
						record.line
					)
				end
			end
		end
	end
	-- All ids of records have a number or a colon in them; most words have neither.
	if not id:find('[%d:]') then return nil end
	local cursor
	for _ = 1, PAGES do
		answer =
			agent:ask('record.query', { status = 'all', limit = 1000, cursor = cursor })
		for _, record in ipairs(answer and answer.records or {}) do
			if record.id == id then
				return place(agent, record.sources, record.file, record.line)
			end
		end
		cursor = answer and answer.next
		if not cursor then return nil end
	end
end

-- Where `name` is: {path, line}, or nil and perhaps why.  `near` is a Ticket whose records
-- come first.
function M.find(agent, name, near)
	local answer, err = agent:ask('ticket.get', { ticket = name })
	if answer then return of_ticket(agent, answer) end
	if err.code ~= 'not_found' and err.code ~= 'bad_argument' then return nil, err end
	local found = of_record(agent, name, near)
	if found then return found end
	return nil, err
end

-- Show a place in this window, with a mark to come back to.
function M.open(found)
	vim.cmd("normal! m'")
	local here = (vim.uv or vim.loop).fs_realpath(vim.api.nvim_buf_get_name(0))
	if here ~= found.path then
		vim.cmd('edit ' .. vim.fn.fnameescape(vim.fn.fnamemodify(found.path, ':.')))
	end
	local last = vim.api.nvim_buf_line_count(0)
	vim.api.nvim_win_set_cursor(0, { math.min(found.line, last), 0 })
end

-- 'includeexpr': what gf opens.
function M.includeexpr(name)
	local buf = vim.api.nvim_get_current_buf()
	local agent = ticket.agent(buf)
	local found = agent and M.find(agent, (name:gsub('[.,:;]+$', '')), ticket.of_buffer(buf))
	return found and found.path or name
end

-- 'tagfunc': what CTRL-] jumps to, at the very line; v:null leaves it to tags files.
function M.tagfunc(pattern, flags)
	local agent = ticket.agent(vim.api.nvim_get_current_buf())
	if not agent then return vim.NIL end
	if flags:find('i') then return vim.NIL end
	local name = flags:find('c') and ticket.word() or pattern
	if flags:find('r') then name = pattern:gsub('^\\<', ''):gsub('\\>$', '') end
	local found = M.find(agent, name or pattern, ticket.of_buffer(0))
	if not found then return vim.NIL end
	return { { name = name, filename = found.path, cmd = tostring(found.line), kind = 't' } }
end

return M
