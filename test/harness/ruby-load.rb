# frozen_string_literal: true

# Reads a file {"classes": [name, ...], "texts": [base64, ...]}, loads each text with
# YAML.safe_load, the named classes defined and permitted, and prints one JSON array of
# {"value": typed} or {"error": {"class": ..., "message": ...}}. The typed form:
#   String (UTF-8), true, false, nil, Array      as they are
#   Integer                                      number within 2^53 - 1, else {"$int": decimal}
#   Float, Symbol                                {"$float": text}, {"$sym": name}
#   Hash, object                                 {"$map": [[key, value], ...]}, {"$obj": class, "ivars": [[name, value], ...]}
#   Date, Time                                   {"$date": text, "jd": n}, {"$time": text with nanoseconds and zone}
#   bytes, broken UTF-8                          {"$bin": base64}, {"$badutf8": base64}
#   a container met again                        {"$share": n, "value": ...} at first, then {"$ref": n}
require 'date'
require 'json'
require 'yaml'

ENV['TZ'] = 'UTC'
LARGEST_NUMBER = (2**53) - 1

# Defines a class by its full name, and the modules around it.
def define_class(name)
  *outer, last = name.split('::')
  scope = outer.reduce(Object) do |within, part|
    within.const_defined?(part, false) ? within.const_get(part) : within.const_set(part, Module.new)
  end
  scope.const_defined?(last, false) ? scope.const_get(last) : scope.const_set(last, Class.new)
end

# Turns one loaded document into its typed form.
class Typed
  def initialize(root)
    @met = Hash.new(0).compare_by_identity
    @numbers = {}.compare_by_identity
    count(root)
  end

  def of(value)
    return scalar(value) unless shareable?(value)
    return { '$ref' => @numbers[value] } if @numbers.key?(value)
    return body(value) if @met[value] < 2

    number = @numbers[value] = @numbers.size + 1
    { '$share' => number, 'value' => body(value) }
  end

  private

  def shareable?(value)
    case value
    when nil, true, false, Integer, Float, String, Symbol, Date then false
    else true
    end
  end

  def count(root)
    waiting = [root]
    until waiting.empty?
      value = waiting.pop
      next unless shareable?(value)

      @met[value] += 1
      waiting.concat(parts(value)) if @met[value] == 1
    end
  end

  def parts(value)
    case value
    when Time then []
    when Array then value
    when Hash then value.to_a.flatten(1)
    else value.instance_variables.map { |name| value.instance_variable_get(name) }
    end
  end

  def body(value)
    case value
    when Time then time(value)
    when Array then value.map { |item| of(item) }
    when Hash then { '$map' => value.map { |key, item| [of(key), of(item)] } }
    else
      fields = value.instance_variables.map { |name| [name.to_s.delete_prefix('@'), of(value.instance_variable_get(name))] }
      { '$obj' => value.class.name, 'ivars' => fields }
    end
  end

  def time(value)
    { '$time' => value.strftime('%Y-%m-%dT%H:%M:%S.%9N') + (value.utc? ? 'Z' : value.strftime('%:z')) }
  end

  def scalar(value)
    case value
    when Integer then value.abs <= LARGEST_NUMBER ? value : { '$int' => value.to_s }
    when Float then { '$float' => value.to_s }
    when Symbol then { '$sym' => value.to_s }
    when Date then { '$date' => value.strftime('%Y-%m-%d'), 'jd' => value.jd }
    when String then string(value)
    else value
    end
  end

  def string(value)
    return { '$bin' => [value].pack('m0') } if value.encoding == Encoding::ASCII_8BIT && !value.ascii_only?

    text = value.encode(Encoding::UTF_8)
    text.valid_encoding? ? text : { '$badutf8' => [value.b].pack('m0') }
  end
end

request = JSON.parse(File.read(ARGV.fetch(0)))
permitted = request['classes'].map { |name| define_class(name) } + [Symbol, Date, Time]
outcomes = request['texts'].map do |text|
  yaml = text.unpack1('m0').force_encoding(Encoding::UTF_8)
  value = YAML.safe_load(yaml, permitted_classes: permitted, aliases: true)
  { 'value' => Typed.new(value).of(value) }
rescue StandardError, SystemStackError => e
  { 'error' => { 'class' => e.class.name, 'message' => e.message.dup.force_encoding(Encoding::UTF_8).scrub[0, 300] } }
end
puts JSON.generate(outcomes, max_nesting: false)
