# Stands in for the marketplace's lib/community/app_handler.rb: the VM is already there, and has the context parameters.
#
# SSH_OPTIONS: how to reach it as root@127.0.0.1.
require 'open3'
require 'yaml'

metadata = YAML.load_file("#{File.dirname(caller_locations.first.absolute_path)}/../metadata.yaml")
APP_CONTEXT_PARAMS = metadata[:app][:context][:params]

# A command that has ended, with the methods that tests may use.
Execution = Struct.new(:stdout, :stderr, :exitstatus) do
    def success?
        exitstatus.zero?
    end

    def fail?
        !success?
    end

    def expect_success
        raise "failed (#{exitstatus}): #{stderr}#{stdout}" unless success?
    end
end

# Like the original, passes a command between double quotes through a shell of this machine.
class RunningVm
    def ssh(command)
        stdout, stderr, status = Open3.capture3("ssh #{ENV.fetch('SSH_OPTIONS')} root@127.0.0.1 \"#{command}\"")
        Execution.new(stdout, stderr, status.exitstatus)
    end
end

RSpec.shared_context 'vm_handler' do
    before(:all) { @info = { :vm => RunningVm.new } }
end
