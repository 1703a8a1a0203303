-- SPDX-License-Identifier: MIT
-- ULIDs: 48 bits of milliseconds and 80 random ones, in Crockford's base 32.  A write that
-- carries one may be asked for again.
local DIGITS = '0123456789ABCDEFGHJKMNPQRSTVWXYZ'

local uv = vim.uv or vim.loop

return function()
	local seconds, micro = uv.gettimeofday()
	local time, made = seconds * 1000 + math.floor(micro / 1000), {}
	for at = 10, 1, -1 do
		made[at] = DIGITS:sub(time % 32 + 1, time % 32 + 1)
		time = math.floor(time / 32)
	end
	for at, byte in ipairs({ uv.random(16):byte(1, 16) }) do
		made[10 + at] = DIGITS:sub(byte % 32 + 1, byte % 32 + 1)
	end
	return table.concat(made)
end
