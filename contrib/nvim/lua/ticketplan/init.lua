-- SPDX-License-Identifier: MIT
-- ticketplan for Neovim 0.7 and later; doc/ticketplan.txt is its manual.
local config, ticket = require('ticketplan.config'), require('ticketplan.ticket')

local M = { buffers = {} }

-- Change settings; may be called at any time, or never.
function M.setup(given) config.set(given) end

function M.omnifunc(start, base) return require('ticketplan.complete').omnifunc(start, base) end

function M.tagfunc(pattern, flags) return require('ticketplan.jump').tagfunc(pattern, flags) end

function M.includeexpr(name) return require('ticketplan.jump').includeexpr(name) end

-- -- Buffers --------------------------------------------------------------

local function listen(agent)
	agent:listen(M, function(event)
		if event.what ~= 'away' then M.refresh(agent) end
	end)
end

-- Show anew what the agent says in all buffers of its checkout.
function M.refresh(agent)
	for buf in pairs(M.buffers) do
		if not vim.api.nvim_buf_is_loaded(buf) then
			M.buffers[buf] = nil
		elseif ticket.agent(buf) == agent then
			require('ticketplan.marks').refresh(buf)
		end
	end
end

-- What completes tags of HTML in Markdown is nobody's choice.
local FREE = { [''] = true, ['htmlcomplete#CompleteTags'] = true }

-- Options of a Ticket's files, where nobody else has set them.
local function set_options(buf)
	local own = {
		omnifunc = "v:lua.require'ticketplan'.omnifunc",
		tagfunc = "v:lua.require'ticketplan'.tagfunc",
		includeexpr = "v:lua.require'ticketplan'.includeexpr(v:fname)",
	}
	for name, value in pairs(own) do
		if FREE[vim.bo[buf][name]] or name == 'includeexpr' then
			vim.bo[buf][name] = value
		end
	end
	local function mapped() return vim.fn.maparg('K', 'n') ~= '' end
	if config.keys and not vim.api.nvim_buf_call(buf, mapped) then
		vim.keymap.set(
			'n',
			'K',
			function() M.look_at_word() end,
			{ buffer = buf, desc = 'What ticketplan says of it' }
		)
	end
end

-- A card for the Ticket under the cursor, else for that of the buffer.
function M.look_at_word()
	local agent, word = ticket.agent(0), ticket.word()
	local known = word and agent and agent:ask('ticket.get', { ticket = word })
	vim.cmd('Tp check ' .. (known and word or ''))
end

-- A buffer was read or written: if it is of a Ticket, say so in it.
function M.attach(buf)
	local path = ticket.path(buf)
	local agent = path and ticket.of_path(path) and ticket.agent(buf)
	if not agent then return end
	require('ticketplan.marks').refresh(buf, function(err)
		if err and not M.buffers[buf] then return end
		if not M.buffers[buf] then set_options(buf) end
		M.buffers[buf] = true
		listen(agent)
	end)
end

-- Somebody looks again: where nothing is pushed, ask.
function M.look()
	local buf = vim.api.nvim_get_current_buf()
	local agent = M.buffers[buf] and ticket.agent(buf)
	if agent and not agent.feed then M.refresh(agent) end
	if package.loaded['ticketplan.queue'] then require('ticketplan.queue').look() end
end

return M
