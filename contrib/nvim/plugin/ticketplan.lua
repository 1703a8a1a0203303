-- SPDX-License-Identifier: MIT
if vim.g.loaded_ticketplan then return end
vim.g.loaded_ticketplan = true

if vim.fn.has('nvim-0.7') == 0 then
	vim.api.nvim_err_writeln('ticketplan: needs Neovim 0.7 or later')
	return
end

vim.api.nvim_create_user_command('Tp', function(opts) require('ticketplan.command').run(opts) end, {
	nargs = '*',
	desc = 'Ask ticketplan, or record a decision',
	complete = function(base, line) return require('ticketplan.cmdline')(base, line) end,
})

local function colours()
	for name, group in pairs({
		Clear = 'MoreMsg',
		Held = 'DiagnosticWarn',
		Note = 'DiagnosticHint',
		Faint = 'Comment',
		Id = 'Directory',
	}) do
		vim.api.nvim_set_hl(0, 'Ticketplan' .. name, { link = group, default = true })
	end
end
colours()

local group = vim.api.nvim_create_augroup('ticketplan', {})
local function on(events, pattern, what)
	vim.api.nvim_create_autocmd(events, { group = group, pattern = pattern, callback = what })
end

on('ColorScheme', '*', colours)
on(
	{ 'BufReadPost', 'BufWritePost' },
	{ '*.md', '*.json', '*.jsonl' },
	function(event) require('ticketplan').attach(event.buf) end
)
on({ 'BufEnter', 'FocusGained', 'CursorHold' }, '*', function()
	if package.loaded['ticketplan'] then require('ticketplan').look() end
end)
