-- SPDX-License-Identifier: MIT
-- The agent of a checkout: found by tpctl, started where none runs, reached again when it
-- restarts.  There is one of these for each checkout that was asked about.
--
-- Callbacks of request() run in the editor's own context; those of ask_raw() do not.
local config, rpc = require('ticketplan.config'), require('ticketplan.rpc')
local place = require('ticketplan.place')
local uv = vim.uv or vim.loop

local Agent = {}
Agent.__index = Agent

local M = { known = {} }

local FOREIGN = 'the agent that answers is that of %s; is TP_SOCKET set?'
local PAUSES = { 250, 500, 1000, 2000, 5000, 15000 }

-- The agent for a file or folder; nil outside a repository, at the cost of a few stat calls.
function M.of(path)
	local top = place.checkout(path)
	if not top then return nil end
	if not M.known[top] then
		M.known[top] = setmetatable({
			top = top,
			name = place.name(top),
			state = 'closed',
			waiting = {},
			can = {},
			listeners = {},
			failures = 0,
		}, Agent)
	end
	return M.known[top]
end

-- -- Finding it -----------------------------------------------------------

-- Run tpctl here; done(fault) or done(nil, its output).
local function tpctl(self, words, done)
	local out, err, said, left = uv.new_pipe(false), uv.new_pipe(false), { '', '' }, 3
	local status
	local function over()
		left = left - 1
		if left > 0 then return end
		if status == 0 then return done(nil, said[1]) end
		local text = said[2]:match('^tpctl: ([^\n]*)')
			or ('tpctl ended with status ' .. tostring(status))
		done(rpc.fault('no_agent', text))
	end
	local process, why
	process, why = uv.spawn(config.tpctl, {
		args = vim.list_extend({ '-C', self.top }, words),
		stdio = { nil, out, err },
	}, function(code)
		status = code
		process:close()
		over()
	end)
	if not process then
		out:close()
		err:close()
		return done(rpc.fault('no_tpctl', ('cannot run %s: %s'):format(config.tpctl, why)))
	end
	for at, pipe in ipairs({ out, err }) do
		pipe:read_start(function(_, data)
			if data then
				said[at] = said[at] .. data
			else
				pipe:close()
				over()
			end
		end)
	end
end

local function locate(self, done)
	tpctl(self, { 'socket' }, function(err, text) done(err, text and text:match('^[^\n]*')) end)
end

-- -- Being connected ------------------------------------------------------

function Agent:tell(event)
	vim.schedule(function()
		for _, listener in pairs(self.listeners) do
			listener(event)
		end
	end)
end

-- Nobody can be reached: tell those who wait, and look again later if somebody listens.
function Agent:failed(err)
	self.state, self.trouble = 'closed', err
	local waiting = self.waiting
	self.waiting = {}
	for _, one in ipairs(waiting) do
		one.done(err)
	end
	self:tell({ what = 'away', fault = err })
	self:later()
end

function Agent:later()
	if self.timer or next(self.listeners) == nil then return end
	self.failures = self.failures + 1
	self.timer = uv.new_timer()
	self.timer:start(PAUSES[math.min(self.failures, #PAUSES)], 0, function()
		self:stop_timer()
		self:open(false)
	end)
end

function Agent:stop_timer()
	if self.timer then
		self.timer:stop()
		self.timer:close()
		self.timer = nil
	end
end

-- A connection ended.  While it is being opened, whoever opens it goes on.
function Agent:lost()
	if self.state ~= 'open' then return end
	self.conn, self.state, self.can, self.feed = nil, 'closed', {}, nil
	if next(self.listeners) or #self.waiting > 0 then
		self:tell({ what = 'away' })
		self:open(config.start)
	end
end

function Agent:notified(method, event)
	if method == 'feed.changed' and event.feed == self.feed then
		self.clock = event.to
		self:tell(vim.tbl_extend('force', event, { what = 'changed' }))
	end
end

local function is_set(name)
	local value = os.getenv(name)
	return value ~= nil and value ~= '' and value ~= '0'
end

-- Whether an agent is that of another repository, as a socket named by hand may be.
local function foreign(self, hello)
	local common = place.common(self.top)
	return common and (common.dev ~= hello.common_dev or common.ino ~= hello.common_ino)
end

-- Somebody answers: learn what it can do, then ask what waits.  refused(fault): it ended
-- before it said so.
function Agent:greet(refused)
	local who = {
		client = 'ticketplan.nvim',
		source = self.name,
		read_only = is_set('TP_READ_ONLY'),
	}
	self.conn:request('agent.hello', who, config.timeout, function(err, hello)
		if err then
			self.conn:close()
			return refused(err)
		elseif foreign(self, hello) then
			self.conn:close()
			return self:failed(rpc.fault('no_agent', FOREIGN:format(hello.common)))
		end
		for _, name in ipairs(hello.capabilities) do
			self.can[name] = true
		end
		self.hello, self.state, self.failures, self.trouble = hello, 'open', 0, nil
		self:stop_timer()
		self:subscribe()
		local waiting = self.waiting
		self.waiting = {}
		for _, one in ipairs(waiting) do
			self:send(one)
		end
		self:tell({ what = 'back' })
	end)
end

function Agent:connect(path, refused)
	self.conn = rpc.connect(path, function(err)
		if err then
			refused(err)
		else
			self:greet(refused)
		end
	end, function(method, event) self:notified(method, event) end, function() self:lost() end)
end

-- Reach the agent.  `start`: start one where none runs, unless somebody stopped it.
function Agent:open(start)
	if self.state ~= 'closed' then return end
	self.state = 'opening'
	local function failed(err) self:failed(err) end
	locate(self, function(err, path)
		if err then return failed(err) end
		self:connect(path, not start and failed or function()
			tpctl(self, { 'call', 'agent.hello' }, function(wrong)
				if wrong then return failed(wrong) end
				locate(self, function(why, again)
					if why then
						failed(why)
					else
						self:connect(again, failed)
					end
				end)
			end)
		end)
	end)
end

-- -- Asking ---------------------------------------------------------------

function Agent:send(one)
	self.conn:request(one.method, one.params, config.timeout, function(err, result)
		-- The agent went while it was asked.  Each write carries its id: asking again is safe.
		if err and err.code == 'hung_up' and not one.again then
			one.again = true
			table.insert(self.waiting, one)
			return self:open(config.start)
		end
		one.done(err, result)
	end)
end

function Agent:ask_raw(method, params, done)
	-- What the session of the environment claims does not hold it.
	local session = os.getenv('TP_SESSION')
	if session and session ~= '' then params.session = params.session or session end
	local one = { method = method, params = params, done = done }
	if self.state == 'open' then return self:send(one) end
	table.insert(self.waiting, one)
	self:stop_timer()
	self:open(config.start)
end

-- done(fault) or done(nil, result), later.
function Agent:request(method, params, done) self:ask_raw(method, params, vim.schedule_wrap(done)) end

-- The result, or nil and a fault.  Waits for it, two seconds unless said.
function Agent:ask(method, params, wait)
	local err, result, over
	self:ask_raw(method, params, function(e, r)
		err, result, over = e, r, true
	end)
	if not over then vim.wait(wait or 2000, function() return over end, 20, true) end
	if not over then return nil, rpc.fault('busy', 'no answer yet; try again') end
	return result, err
end

-- -- Following ------------------------------------------------------------

function Agent:subscribe()
	if self.feed or not self.can['feed.subscribe'] or next(self.listeners) == nil then
		return
	end
	self.conn:request(
		'feed.subscribe',
		{ since = self.clock },
		config.timeout,
		function(err, answer)
			if not err then self.feed = answer.feed end
		end
	)
end

-- Be told what happens: {what = 'changed' | 'away' | 'back', …}, until forget(key).
function Agent:listen(key, listener)
	self.listeners[key] = listener
	if self.state == 'open' then self:subscribe() end
end

function Agent:forget(key)
	self.listeners[key] = nil
	if next(self.listeners) == nil then self:stop_timer() end
end

-- -- Where files are ------------------------------------------------------

-- The tops of all checkouts, by name; nil and a fault.
function Agent:tops()
	local status, err = self:ask('agent.status', {})
	if not status then return nil, err end
	local tops = {}
	for _, source in ipairs(status.sources) do
		tops[source.name] = source.path
	end
	return tops
end

-- A file of some checkouts, as a path of this machine: in this checkout if that has it.
-- `sources` are their names, `file` its path from their tops.
function Agent:file(sources, file, tops)
	local best
	for _, name in ipairs(sources) do
		local top = tops[name]
		if top and (not best or top == self.top) then best = top end
	end
	return best and best .. '/' .. file
end

-- Start an agent even where one was stopped; done(fault) or done().
function Agent:start(done)
	done = vim.schedule_wrap(done)
	tpctl(self, { 'start' }, function(err, text)
		if err then return done(err) end
		self:open(false)
		done(nil, text)
	end)
end

return M
