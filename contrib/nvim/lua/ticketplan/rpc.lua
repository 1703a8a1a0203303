-- SPDX-License-Identifier: MIT
-- One connection to an agent: MessagePack-RPC on a pipe of the event loop.
--
-- Not a channel of the editor's own (sockconnect with rpc = true): whoever listens at the
-- other end of such a channel may call every function of the editor, and no notification
-- but the editor's own arrives through it.
--
-- All callbacks run in the loop's context, in which the editor may not be touched.
local uv, mpack = vim.uv or vim.loop, vim.mpack

local Conn = {}
Conn.__index = Conn

local M = {}

-- What went wrong, as a code and a text for people.
local function fault(code, text) return { code = code, text = text } end
M.fault = fault

-- Errors of the agent are [0 or 1, "code: text"].
local function fault_of(error)
	local said = type(error) == 'table' and error[2] or error
	local code, text = tostring(said):match('^([%l_]+): (.*)$')
	return fault(code or 'internal', text or tostring(said))
end

function Conn:answered(id, error, result)
	local asked = self.asked[id]
	self.asked[id] = nil
	if not asked then return end
	asked.timer:stop()
	asked.timer:close()
	asked.done(error, result)
end

function Conn:take(message)
	if message[1] == 1 and message[3] ~= vim.NIL then
		self:answered(message[2], fault_of(message[3]))
	elseif message[1] == 1 then
		self:answered(message[2], nil, message[4])
	elseif message[1] == 2 and self.told then
		self.told(message[2], message[3][1])
	end
end

function Conn:read(data)
	local at = 1
	while at <= #data and not self.closed do
		local fine, message, next = pcall(self.unpack, data, at)
		if not fine or (message ~= nil and type(message) ~= 'table') then
			return self:close(
				fault(
					'bad_message',
					'what answers at ' .. self.path .. ' is no agent'
				)
			)
		end
		if message == nil then return end
		at = next
		self:take(message)
	end
end

-- Ask, and be called with (fault) or (nil, result), once.
function Conn:request(method, params, timeout, done)
	self.last = self.last + 1
	local id, timer = self.last, uv.new_timer()
	self.asked[id] = { done = done, timer = timer }
	timer:start(
		timeout,
		0,
		function()
			self:answered(
				id,
				fault(
					'busy',
					('no answer to %s within %g s'):format(
						method,
						timeout / 1000
					)
				)
			)
		end
	)
	if next(params) == nil then params = vim.empty_dict() end
	self.pipe:write(mpack.encode({ 0, id, method, { params } }))
end

-- Hang up; what was asked and not answered is answered with `why`.
function Conn:close(why)
	if self.closed then return end
	self.closed = true
	self.pipe:close()
	local ids = vim.tbl_keys(self.asked)
	table.sort(ids)
	for _, id in ipairs(ids) do
		self:answered(id, why or fault('hung_up', 'the agent has gone'))
	end
	if self.ended then self.ended(why) end
end

-- opened(fault or nil) is called once; then told(method, params) for each notification,
-- and ended(fault or nil) when the connection is over, whoever ended it.
function M.connect(path, opened, told, ended)
	local conn = setmetatable({
		path = path,
		pipe = uv.new_pipe(false),
		unpack = mpack.Unpacker(),
		asked = {},
		last = 0,
		told = told,
	}, Conn)
	conn.pipe:connect(path, function(err)
		if err then
			conn:close()
			return opened(fault('no_agent', path .. ': ' .. err))
		end
		conn.ended = ended
		conn.pipe:read_start(function(wrong, data)
			if wrong or not data then
				conn:close()
			else
				conn:read(data)
			end
		end)
		opened()
	end)
	return conn
end

return M
