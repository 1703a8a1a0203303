-- SPDX-License-Identifier: MIT
-- What a user may set; doc/ticketplan.txt explains each.
local M = {
	tpctl = 'tpctl',
	start = true,
	timeout = 10000,
	marks = true,
	keys = true,
	queue_height = 12,
	queue_reasons = true,
	notify = true,
	icons = { clear = '●', held = '○', other = '·' },
}

-- Take over what the user gave; a name that is none is a mistake to be told.
function M.set(given)
	for name, value in pairs(given or {}) do
		local known = M[name]
		if known == nil or type(known) == 'function' then
			error('ticketplan: no setting is called ' .. tostring(name), 0)
		elseif type(known) ~= type(value) then
			error(('ticketplan: %s is a %s'):format(name, type(known)), 0)
		end
		M[name] = type(value) == 'table' and vim.tbl_extend('force', known, value) or value
	end
end

return M
